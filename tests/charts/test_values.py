import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden import settings
from tests.charts.conftest import EVERYTHING
from tests.charts.rendering import CHART, NAMESPACE, RefusedError, Rendered, render

REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("two writers of one volume", {"controller": {"replicas": 2}}, "/controller/replicas"),
    (
        "a new writer beside the old",
        {"controller": {"strategy": "RollingUpdate"}},
        "/controller/strategy",
    ),
    ("no writer", {"controller": {"replicas": 0}}, "/controller/replicas"),
    ("an unknown value", {"controler": {"replicas": 1}}, "controler"),
    ("an unknown value inside", {"webhook": {"replica": 3}}, "replica"),
    ("a store of another release", {"ledger": {"store": "s3"}}, "/ledger/store"),
    (
        "a digest cut short",
        {"images": {"operator": {"digest": "sha256:abc"}}},
        "/images/operator/digest",
    ),
    ("a store without a prefix", {"stores": [{"name": "main"}]}, "uriPrefix"),
    (
        "a prefix without its slash",
        {"stores": [{"name": "m", "uriPrefix": "s3://m/risk"}]},
        "uriPrefix",
    ),
    (
        "a store of a kind that no gate reads",
        {"stores": [{"name": "m", "uriPrefix": "oci://m/"}]},
        "uriPrefix",
    ),
    (
        "a claim of a store that is no volume",
        {"stores": [{"name": "m", "uriPrefix": "s3://m/", "claim": "m"}]},
        "claim",
    ),
    (
        "a secret of a store that is a volume",
        {"stores": [{"name": "m", "uriPrefix": "pvc://m/", "secret": "m"}]},
        "secret",
    ),
    (
        "one claim for the claims of all namespaces",
        {"stores": [{"name": "m", "uriPrefix": "pvc://{namespace}-m/", "claim": "m"}]},
        "claim",
    ),
    ("every policy at once", {"roles": {"gitops": {"use": ["*"]}}}, "/roles/gitops/use/0"),
    ("root", {"runAs": {"user": 0}}, "/runAs/user"),
    ("a lease that ends before it is renewed", {"lease": {"renewSeconds": 20}}, "renewSeconds"),
]


@pytest.mark.parametrize(
    ("values", "place"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
@pytest.mark.parametrize("version", ["helm", "helm3"])
def test_a_wrong_value_is_refused_by_its_name(
    request: pytest.FixtureRequest, version: str, values: dict[str, Any], place: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        render(request.getfixturevalue(version), values)

    assert place in str(refusal.value)


def test_the_operator_understands_its_settings(either: Rendered) -> None:
    text = either.named("ConfigMap", "modelwarden-settings")["data"]["settings.yaml"]

    read = settings.parse(text)

    assert read.operator.account == f"system:serviceaccount:{NAMESPACE}:modelwarden-controller"
    assert read.gates.service_account == "modelwarden-gate"


def test_every_setting_comes_from_a_value_or_from_a_name(everything: Rendered) -> None:
    text = everything.named("ConfigMap", "modelwarden-settings")["data"]["settings.yaml"]

    read = settings.parse(text)

    # A store is of one kind, and says nothing of what only the other has.
    said = read.model_dump(mode="json", by_alias=True, exclude={"stores"})
    stores = read.model_dump(mode="json", by_alias=True, include={"stores"}, exclude_unset=True)
    assert {**said, **stores} == yaml.safe_load(text)


def test_cluster_with_its_own_accounts_gets_no_numbers(helm: Path) -> None:
    rendered = render(helm, {"runAs": {"user": None, "group": None}})

    for deployment in rendered.of("Deployment"):
        context = deployment["spec"]["template"]["spec"]["securityContext"]
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(context)


def test_every_value_has_a_sentence() -> None:
    assert list(_values_without_a_sentence((CHART / "values.yaml").read_text())) == []


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    known = set(_paths_of_schema(schema, schema))
    assert known - {"global"} == set(_paths_of_values(values, known))


def test_what_the_tests_set_is_what_can_be_set() -> None:
    assert set(EVERYTHING) <= set(yaml.safe_load((CHART / "values.yaml").read_text()))


def _values_without_a_sentence(text: str) -> Iterator[str]:
    """A sentence stands right above a value, or above the value that it is a part of."""
    explained: list[int] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = re.match(r"( *)(\w+):(.*)", line)
        if match is None:
            continue
        depth = len(match[1])
        explained = [level for level in explained if level < depth]
        if lines[number - 1].strip().startswith("#"):
            explained.append(depth)
            if not lines[number - 1].endswith("."):
                yield f"{match[2]}: the comment is no sentence"
        elif match[3] and not explained:
            yield match[2]


def _paths_of_schema(
    part: Mapping[str, Any], schema: Mapping[str, Any], path: str = ""
) -> Iterator[str]:
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if name != "image":
            yield path
            return
        part = schema["definitions"][name]
    if "properties" not in part:
        yield path
        return
    for key, child in part["properties"].items():
        yield from _paths_of_schema(child, schema, f"{path}.{key}".lstrip("."))


def _paths_of_values(part: Any, known: set[str], path: str = "") -> Iterator[str]:
    if path in known or not isinstance(part, dict):
        yield path
        return
    for key, child in part.items():
        yield from _paths_of_values(child, known, f"{path}.{key}".lstrip("."))
