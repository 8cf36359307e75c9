import copy
from typing import Any

import pytest

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.definitions import problems_of, require_definitions
from modelwarden.cluster.paths import CUSTOM_RESOURCE_DEFINITIONS
from modelwarden.errors import MisconfiguredError
from modelwarden.resources.crds import crd
from modelwarden.resources.kinds import KINDS
from tests.fakes.api_server import FakeApiServer

ESTABLISHED = {
    "conditions": [{"type": "Established", "status": "True"}],
    "storedVersions": ["v1alpha1"],
}
MODEL = crd(KINDS["Model"])


def installed(**status: Any) -> dict[str, Any]:
    return copy.deepcopy(MODEL) | {"status": ESTABLISHED | status}


def without_a_field() -> dict[str, Any]:
    older = installed()
    schema = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["owners"]["items"]["properties"]["name"]
    older["metadata"]["annotations"]["modelwarden.io/release"] = "0.0.9"
    return older


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (installed(), []),
        (None, ["models.modelwarden.io: is not installed"]),
        (installed(conditions=[]), ["models.modelwarden.io: is not established"]),
        (
            installed(storedVersions=["v1", "v1alpha1"]),
            ["models.modelwarden.io: holds objects of the versions v1, unknown here"],
        ),
        (
            without_a_field(),
            ["models.modelwarden.io: is older (0.0.9), it has no spec.owners.*.name"],
        ),
    ],
    ids=["the same", "none", "not yet", "of a later release", "of an earlier release"],
)
def test_a_definition_is_used_or_refused_with_its_reason(
    found: dict[str, Any] | None, problems: list[str]
) -> None:
    assert list(problems_of(MODEL, found)) == problems


async def test_all_definitions_must_be_there(client: ApiClient, server: FakeApiServer) -> None:
    for kind in KINDS.values():
        server.put(CUSTOM_RESOURCE_DEFINITIONS, crd(kind) | {"status": ESTABLISHED})
    await require_definitions(client)
    server.remove(CUSTOM_RESOURCE_DEFINITIONS, "models.modelwarden.io")

    with pytest.raises(MisconfiguredError, match=r"models\.modelwarden\.io: is not installed"):
        await require_definitions(client)
