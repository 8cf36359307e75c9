import re
import subprocess
from pathlib import Path

import pytest
import yaml

from modelwarden.domain.reasons import REASONS
from modelwarden.domain.reasons.reason import Who
from modelwarden.metrics import Metrics
from tests.charts.conftest import EVERYTHING
from tests.charts.rendering import CHART, NAMESPACE, Rendered, render


def test_rendering_twice_gives_the_same_bytes(helm: Path) -> None:
    assert render(helm, EVERYTHING).text == render(helm, EVERYTHING).text


def test_helm_3_and_helm_4_render_the_same_objects(
    helm3: Path, rendered: Rendered, everything: Rendered
) -> None:
    assert render(helm3).keyed() == rendered.keyed()
    assert render(helm3, EVERYTHING).keyed() == everything.keyed()


@pytest.mark.parametrize("version", ["helm", "helm3"])
def test_the_chart_has_nothing_to_lint(request: pytest.FixtureRequest, version: str) -> None:
    program = str(request.getfixturevalue(version))
    answer = subprocess.run(
        [program, "lint", "--strict", "--quiet", str(CHART)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


def test_there_are_no_hooks(everything: Rendered) -> None:
    assert "helm.sh/hook" not in everything.text


def test_no_webhook_configuration_has_a_ca_bundle(either: Rendered) -> None:
    configurations = either.of("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")

    assert [item["metadata"]["name"] for item in configurations] == ["modelwarden"] * 2
    assert "caBundle" not in str(configurations)


def test_a_webhook_refuses_when_it_is_down_and_never_asks_about_the_operator(
    either: Rendered,
) -> None:
    account = f"system:serviceaccount:{NAMESPACE}:modelwarden-controller"
    for configuration in either.of(
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ):
        for webhook in configuration["webhooks"]:
            assert (webhook["failurePolicy"], webhook["sideEffects"]) == ("Fail", "None")
            assert webhook["timeoutSeconds"] == 5
            assert {group for rule in webhook["rules"] for group in rule["apiGroups"]} == {
                "modelwarden.io"
            }
            assert account in webhook["matchConditions"][0]["expression"]
            assert "modeltransitions" not in str(webhook["rules"])


def test_secrets_come_without_data_so_that_nothing_ever_replaces_what_is_in_them(
    either: Rendered,
) -> None:
    secrets = either.of("Secret")

    assert {item["metadata"]["name"] for item in secrets} == {
        "modelwarden-ledger-key",
        "modelwarden-webhook-tls",
    }
    assert not [item for item in secrets if "data" in item or "stringData" in item]


def test_an_uninstall_leaves_the_records(either: Rendered) -> None:
    kept = {
        (item["kind"], item["metadata"]["name"])
        for item in either.objects
        if item["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }

    definitions = {
        ("CustomResourceDefinition", item["metadata"]["name"])
        for item in either.of("CustomResourceDefinition")
    }
    assert kept == definitions | {
        ("PersistentVolumeClaim", "modelwarden-ledger"),
        ("Secret", "modelwarden-ledger-key"),
    }


def test_the_definitions_are_those_of_the_repository(rendered: Rendered) -> None:
    source = [yaml.safe_load(path.read_text()) for path in sorted(Path("crds").glob("*.yaml"))]

    shipped = sorted(
        rendered.of("CustomResourceDefinition"), key=lambda item: item["metadata"]["name"]
    )
    assert len(source) == 5
    assert {item["metadata"]["name"]: item["spec"] for item in shipped} == {
        item["metadata"]["name"]: item["spec"] for item in source
    }


def test_the_definitions_can_be_left_out_and_left_behind(helm: Path) -> None:
    without = render(helm, {"crds": {"install": False}})
    going = render(helm, {"crds": {"keep": False}})

    assert not without.of("CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in str(going.of("CustomResourceDefinition"))


def test_every_policy_of_the_repository_is_bound(rendered: Rendered) -> None:
    policies = {item["metadata"]["name"] for item in rendered.of("ValidatingAdmissionPolicy")}
    bound = {item["spec"]["policyName"] for item in rendered.of("ValidatingAdmissionPolicyBinding")}

    assert list((CHART / "files/policies").glob("*.yaml"))
    assert policies == bound


def test_nothing_keeps_the_name_of_another_release(helm: Path) -> None:
    other = render(helm, release="registry")

    settings = yaml.safe_load(
        other.named("ConfigMap", "registry-modelwarden-settings")["data"]["settings.yaml"]
    )
    names = {
        item["metadata"]["name"]
        for item in other.objects
        if not item["kind"].startswith(("ClusterRole", "CustomResource", "ValidatingAdmission"))
    }
    assert settings["operator"] == {
        "namespace": NAMESPACE,
        "name": "registry-modelwarden",
        "account": f"system:serviceaccount:{NAMESPACE}:registry-modelwarden-controller",
    }
    assert f"{NAMESPACE}:modelwarden-controller" not in other.text
    assert {name for name in names if not name.startswith("registry-modelwarden")} == {
        "modelwarden-gates",
        "modelwarden-auditor",
    }


def test_every_object_says_what_it_belongs_to(everything: Rendered) -> None:
    extra = {"modelwarden-extra", "as-text"}
    unlabelled = {
        (item["kind"], item["metadata"]["name"])
        for item in everything.objects
        if item["metadata"]["name"] not in extra
        and not (
            item["metadata"].get("labels", {}).get("team") == "ml-platform"
            and item["metadata"]["labels"]["app.kubernetes.io/instance"] == "modelwarden"
        )
    }

    assert unlabelled == set()


def test_a_new_setting_restarts_both_processes(helm: Path, rendered: Rendered) -> None:
    changed = render(helm, {"identity": {"usernamePrefix": "oidc:"}})

    for name in ("modelwarden-controller", "modelwarden-webhook"):
        before, after = (
            item.named("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
            for item in (rendered, changed)
        )
        assert before["checksum/settings"] != after["checksum/settings"]


def test_the_gates_namespace_enforces_restricted_pods_and_lets_nothing_in(
    rendered: Rendered,
) -> None:
    namespace = rendered.named("Namespace", "modelwarden-gates")
    network = rendered.named("NetworkPolicy", "modelwarden-gates")
    account = rendered.named("ServiceAccount", "modelwarden-gate")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert network["spec"]["podSelector"] == {}
    assert network["spec"]["ingress"] == []
    assert {port["port"] for rule in network["spec"]["egress"] for port in rule["ports"]} == {53}
    assert account["automountServiceAccountToken"] is False


def test_the_published_stores_name_nothing_of_the_gates_namespace(everything: Rendered) -> None:
    published = everything.named("ConfigMap", "modelwarden-stores")["data"]["stores.yaml"]

    assert yaml.safe_load(published) == [
        {
            "name": "main",
            "uriPrefix": "s3://models/{namespace}/",
            "endpoint": "http://s3.storage.svc:7070",
            "region": "us-east-1",
            "addressing": "path",
        },
        {"name": "shared", "uriPrefix": "pvc://models/{namespace}/"},
    ]


def test_one_webhook_has_no_budget_that_would_block_a_drain(helm: Path, rendered: Rendered) -> None:
    alone = render(helm, {"webhook": {"replicas": 1}})

    assert len(rendered.of("PodDisruptionBudget")) == 1
    assert alone.of("PodDisruptionBudget") == []


def test_images_are_named_by_digest_where_one_is_given(everything: Rendered) -> None:
    images = re.findall(r"image: (\S+)", everything.text)

    assert set(images) == {
        "modelwarden/operator@sha256:" + "a" * 64,
        "modelwarden/validator@sha256:" + "b" * 64,
    }


def test_alerts_ask_for_numbers_that_there_are(everything: Rendered) -> None:
    rule = everything.named("PrometheusRule", "modelwarden")
    asked = set(
        re.findall(r"modelwarden_\w+", str([group["rules"] for group in rule["spec"]["groups"]]))
    )

    assert asked
    assert {name.removesuffix("_total") for name in asked} <= {
        family.name for family in Metrics.create().registry.collect()
    }


def test_alerts_ask_for_codes_and_people_that_there_are(everything: Rendered) -> None:
    rules = str(everything.named("PrometheusRule", "modelwarden")["spec"]["groups"])

    codes = set("|".join(re.findall(r'(?:code=|reason=~)"([\w|]+)"', rules)).split("|"))
    people = set(re.findall(r'who="(\w+)"', rules))
    assert codes
    assert (codes - REASONS.keys(), people - {*Who}) == (set(), set())


def test_every_alert_says_in_a_sentence_what_is_so_and_how_grave_it_is(
    everything: Rendered,
) -> None:
    [group] = everything.named("PrometheusRule", "modelwarden")["spec"]["groups"]

    assert [
        rule["alert"]
        for rule in group["rules"]
        if rule["labels"]["severity"] not in ("critical", "warning")
        or not rule["annotations"]["summary"].endswith(".")
    ] == []
