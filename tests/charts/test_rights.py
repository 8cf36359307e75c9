"""Who may do what, as the chart installs it: compared with the table, right by right."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.rendering import NAMESPACE, Manifest, Rendered, render

READ = "get list watch"
KINDS = ("models", "modelversions", "modeltransitions", "modeldecisions", "modelpolicies")
RECORDS = dict.fromkeys(KINDS, READ)

# The table of the roles for people: what each may do beyond reading every record.
PEOPLE: Mapping[str, Mapping[str, str]] = {
    "data-scientist": {"models": "create", "modelversions": "create patch update"},
    "pipeline": {"models": "attest", "modelversions": "create"},
    "ml-engineer": {
        "models": "create patch update",
        "modelversions": "create patch update",
        "modeldecisions": "create",
        "models/staging": "promote demote",
        "models/archived": "promote demote",
        "models/production": "rollback",
    },
    "release-manager": {
        "models": "create patch update govern",
        "modelversions": "create patch update",
        "modeldecisions": "create",
        "models/staging": "promote demote",
        "models/archived": "promote demote",
        "models/production": "promote demote rollback",
    },
    "approver": {"modeldecisions": "create", "models/production": "approve"},
    "break-glass": {"modeldecisions": "create", "models/production": "override"},
    "auditor": {},
}
# What Git may do; it does not even read a decision.
GITOPS = {
    "models": f"{READ} create patch attest",
    "modelversions": f"{READ} create patch",
    "modeltransitions": READ,
    "modelpolicies": READ,
    "models/staging": "promote demote",
    "models/archived": "promote demote",
    "models/production": "promote demote rollback",
}
CUSTOM = frozenset(
    ["promote", "demote", "rollback", "approve", "override", "govern", "attest", "use"]
)
ADMISSION = "admissionregistration.k8s.io"

# (group, resource, name, verb); the name is empty where the right is for every object.
Right = tuple[str, str, str, str]


@pytest.mark.parametrize("role", PEOPLE)
def test_a_persons_role_has_the_rights_of_the_table_and_no_other(
    rendered: Rendered, role: str
) -> None:
    installed = rendered.named("ClusterRole", f"modelwarden-{role}")

    assert set(_rights(installed)) == set(_ours(RECORDS)) | set(_ours(PEOPLE[role]))


def test_git_never_decides(rendered: Rendered, everything: Rendered) -> None:
    plain = set(_rights(rendered.named("ClusterRole", "modelwarden-gitops")))
    governing = set(_rights(everything.named("ClusterRole", "modelwarden-gitops")))

    assert plain == set(_ours(GITOPS))
    assert governing - plain == {
        ("modelwarden.io", "models", "", "govern"),
        ("modelwarden.io", "modelpolicies", "standard", "use"),
    }


def test_there_are_no_other_roles(rendered: Rendered) -> None:
    people = {f"modelwarden-{name}" for name in (*PEOPLE, "gitops")}

    assert {item["metadata"]["name"] for item in rendered.of("ClusterRole")} == people | {
        "modelwarden-view",
        "modelwarden-policy-reader",
        "modelwarden-controller",
        "modelwarden-controller-serving",
        "modelwarden-webhook",
    }


def test_only_reading_is_aggregated_and_only_to_view(either: Rendered) -> None:
    aggregated = {
        item["metadata"]["name"]: {label for label in _labels(item) if "aggregate-to" in label}
        for item in either.of("ClusterRole")
        if any("aggregate-to" in label for label in _labels(item)) or "aggregationRule" in item
    }
    verbs = {right[3] for right in _rights(either.named("ClusterRole", "modelwarden-view"))}

    assert aggregated == {"modelwarden-view": {"rbac.authorization.k8s.io/aggregate-to-view"}}
    assert verbs == set(READ.split())


def test_no_role_has_a_wildcard(either: Rendered) -> None:
    assert [
        (item["metadata"]["name"], right)
        for item in either.of("ClusterRole", "Role")
        for right in _rights(item)
        if any("*" in part for part in right)
    ] == []


def test_nobody_is_given_a_part_by_the_chart(either: Rendered) -> None:
    given = {
        subject["name"]: binding["roleRef"]["name"]
        for binding in either.of("ClusterRoleBinding", "RoleBinding")
        for subject in binding["subjects"]
        if subject["kind"] != "ServiceAccount"
    }

    assert set(given) == {"system:authenticated"}
    assert {
        binding["roleRef"]["name"]
        for binding in either.of("ClusterRoleBinding", "RoleBinding")
        if any(subject["kind"] == "Group" for subject in binding["subjects"])
    } == {"modelwarden-stores", "modelwarden-policy-reader"}


def test_the_example_binds_only_roles_that_there_are(rendered: Rendered) -> None:
    shipped = {
        (item["kind"], item["metadata"]["name"]) for item in rendered.of("ClusterRole", "Role")
    }
    example = Path("examples/01-register/2-roles.yaml").read_text()
    named = {
        (item["roleRef"]["kind"], item["roleRef"]["name"])
        for item in yaml.safe_load_all(example)
        if "roleRef" in item and item["roleRef"]["name"].startswith("modelwarden-")
    }

    assert named <= shipped
    assert len(named) == 7


def test_the_operator_has_no_right_to_move_or_to_decide(either: Rendered) -> None:
    held = {
        right[3]
        for account in ("modelwarden-controller", "modelwarden-webhook")
        for role in _roles_of(either, account)
        for right in _rights(role)
    }

    assert held & CUSTOM == set()


def test_the_controller_may_do_what_it_does_and_nothing_else(rendered: Rendered) -> None:
    assert _granted(rendered, "modelwarden-controller") == {
        ("", "modelwarden.io models", READ),
        ("", "modelwarden.io modelversions", READ),
        ("", "modelwarden.io modeldecisions", READ),
        ("", "modelwarden.io modelpolicies", READ),
        ("", "modelwarden.io modeltransitions", "create delete get list patch watch"),
        ("", "modelwarden.io models/status", "patch"),
        ("", "modelwarden.io modelversions/status", "patch"),
        ("", "modelwarden.io modeltransitions/status", "patch"),
        ("", "apps deployments", READ),
        ("", "apps deployments", "patch"),
        ("", "apps replicasets", "list"),
        ("", " pods", "list"),
        ("", " services", "list"),
        ("", "apps statefulsets", "list"),
        ("", "apps daemonsets", "list"),
        ("", "batch jobs", "list"),
        ("", "batch cronjobs", "list"),
        ("", "networking.k8s.io ingresses", "list"),
        ("", "gateway.networking.k8s.io httproutes", "list"),
        ("", "authorization.k8s.io subjectaccessreviews", "create"),
        ("", "events.k8s.io events", "create"),
        ("", " namespaces", "get"),
        *(
            ("", f"apiextensions.k8s.io customresourcedefinitions {kind}.modelwarden.io", "get")
            for kind in RECORDS
        ),
        (NAMESPACE, "coordination.k8s.io leases", "create"),
        (NAMESPACE, "coordination.k8s.io leases modelwarden-controller", "get patch"),
        (NAMESPACE, " secrets modelwarden-ledger-key", "get patch"),
        ("modelwarden-gates", "batch jobs", "create delete get list watch"),
        ("modelwarden-gates", "networking.k8s.io networkpolicies", "create delete list"),
        ("modelwarden-gates", " pods", READ),
        ("modelwarden-gates", " pods/log", "get"),
        ("modelwarden-gates", " events", "list"),
    }


def test_the_webhook_writes_its_own_certificate_and_nothing_else(rendered: Rendered) -> None:
    assert _granted(rendered, "modelwarden-webhook") == {
        ("", "modelwarden.io models", "get"),
        ("", "modelwarden.io modelversions", "get"),
        ("", "modelwarden.io modeltransitions", "get"),
        ("", "modelwarden.io modelpolicies", "get"),
        ("", f"{ADMISSION} mutatingwebhookconfigurations modelwarden", "get patch"),
        ("", f"{ADMISSION} validatingwebhookconfigurations modelwarden", "get patch"),
        (NAMESPACE, " secrets modelwarden-webhook-tls", "get patch"),
    }


def test_a_gate_has_no_rights(either: Rendered) -> None:
    assert list(_roles_of(either, "modelwarden-gate")) == []


def test_deployments_are_patched_only_where_the_platform_says(everything: Rendered) -> None:
    bindings = [
        (binding["kind"], binding["metadata"].get("namespace"))
        for binding in everything.of("ClusterRoleBinding", "RoleBinding")
        if binding["roleRef"]["name"] == "modelwarden-controller-serving"
    ]

    assert bindings == [("RoleBinding", "risk"), ("RoleBinding", "pricing")]


def test_an_auditor_reaches_the_ledger_through_the_controller_only(rendered: Rendered) -> None:
    role = rendered.named("Role", "modelwarden-auditor")

    assert role["metadata"]["namespace"] == NAMESPACE
    assert set(_rights(role)) == {
        ("", "pods", "", "get"),
        ("", "pods", "", "list"),
        ("apps", "deployments", "modelwarden-controller", "get"),
        ("", "pods/portforward", "", "get"),
        ("", "pods/portforward", "", "create"),
        ("coordination.k8s.io", "leases", "modelwarden-controller", "get"),
    }


def test_roles_for_people_can_be_left_to_the_platform(helm: Path) -> None:
    own = render(helm, {"roles": {"create": False}}).of("ClusterRole", "Role")

    assert {item["metadata"]["name"] for item in own} == {
        "modelwarden-controller",
        "modelwarden-controller-serving",
        "modelwarden-webhook",
        "modelwarden-stores",
    }


def _labels(item: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"]["labels"]
    return labels


def _rights(role: Manifest) -> Iterator[Right]:
    for rule in role["rules"]:
        assert "nonResourceURLs" not in rule
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [""]):
                    for verb in rule["verbs"]:
                        yield group, resource, name, verb


def _ours(table: Mapping[str, str]) -> Iterator[Right]:
    for resource, verbs in table.items():
        for verb in verbs.split():
            yield "modelwarden.io", resource, "", verb


def _bindings_of(rendered: Rendered, account: str) -> Iterator[Manifest]:
    for binding in rendered.of("ClusterRoleBinding", "RoleBinding"):
        subjects: list[Any] = binding["subjects"]
        if any(item["kind"] == "ServiceAccount" and item["name"] == account for item in subjects):
            yield binding


def _roles_of(rendered: Rendered, account: str) -> Iterator[Manifest]:
    for binding in _bindings_of(rendered, account):
        yield _role_of(rendered, binding)


def _role_of(rendered: Rendered, binding: Manifest) -> Manifest:
    kind, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
    namespace = "" if kind == "ClusterRole" else binding["metadata"]["namespace"]
    return rendered.keyed()[kind, namespace, name]


def _granted(rendered: Rendered, account: str) -> set[tuple[str, str, str]]:
    """(namespace, what, verbs) of every rule of every role that is bound to the account."""
    return {
        (
            binding["metadata"].get("namespace", ""),
            f"{group} {resource} {name}".removesuffix(" "),
            " ".join(sorted(rule["verbs"])),
        )
        for binding in _bindings_of(rendered, account)
        for rule in _role_of(rendered, binding)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }
