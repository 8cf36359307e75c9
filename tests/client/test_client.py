import json
from typing import Any

import pytest
import yaml

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient, body_bytes, connect
from modelwarden.cluster.paths import CONFIG_MAPS, DEPLOYMENTS, JOBS, MODELS, PODS
from modelwarden.errors import MisconfiguredError, UnavailableError
from tests.fakes.api_server import FakeApiServer
from tests.fakes.store import RefusalError


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "risk"}, "data": data}


def labelled(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "risk", "labels": labels}}


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f44d", "\u5408\u683c", "\x00\x1b\x7f", "\x85\x9f\u2028\u2029", "\ufeff\ufffe\uffff",
        "\\ud83d",
        'a "b": {c}\n- d',
    ],
    ids=ascii,
)  # fmt: skip
def test_a_body_is_the_same_as_json_and_as_yaml(text: str) -> None:
    body = {"reason": text, f"of {text}": [1, None, True]}

    written = body_bytes(body).decode()

    assert json.loads(written) == yaml.safe_load(written) == body


async def test_what_was_created_is_read(client: ApiClient) -> None:
    created = await client.create(CONFIG_MAPS, config_map("a", x="1"))

    assert await client.get(CONFIG_MAPS, "a", "risk") == created
    assert created["data"] == {"x": "1"}


async def test_creating_twice_is_already_exists(client: ApiClient) -> None:
    await client.create(CONFIG_MAPS, config_map("a"))

    with pytest.raises(ApiError) as caught:
        await client.create(CONFIG_MAPS, config_map("a"))

    assert caught.value.is_already_exists


async def test_what_is_not_there_is_not_found(client: ApiClient) -> None:
    with pytest.raises(ApiError) as caught:
        await client.get(CONFIG_MAPS, "a", "risk")

    assert caught.value.is_not_found
    assert await client.find(CONFIG_MAPS, "a", "risk") is None


async def test_a_dry_run_writes_nothing(client: ApiClient) -> None:
    await client.create(CONFIG_MAPS, config_map("a"), dry_run=True)

    assert await client.find(CONFIG_MAPS, "a", "risk") is None


async def test_a_list_is_read_over_all_its_pages(client: ApiClient, server: FakeApiServer) -> None:
    for number in range(5):
        server.put(CONFIG_MAPS, config_map(f"a{number}"))

    items = await client.list(CONFIG_MAPS, "risk", limit=2)

    assert [item["metadata"]["name"] for item in items] == ["a0", "a1", "a2", "a3", "a4"]
    assert len(server.calls) == 3


async def test_a_list_that_is_forgotten_half_way_begins_again(
    client: ApiClient, server: FakeApiServer
) -> None:
    for number in range(3):
        server.put(CONFIG_MAPS, config_map(f"a{number}"))
    server.fail(
        where=lambda call: "continue" in call.query,
        answer=RefusalError(410, "Expired", "the continue parameter is too old"),
    )

    items = await client.list(CONFIG_MAPS, "risk", limit=2)

    assert [item["metadata"]["name"] for item in items] == ["a0", "a1", "a2"]


async def test_a_list_that_is_always_forgotten_is_an_error(
    client: ApiClient, server: FakeApiServer
) -> None:
    expired = RefusalError(410, "Expired", "the continue parameter is too old")
    server.fail(answer=expired, times=10)

    with pytest.raises(ApiError) as caught:
        await client.list(CONFIG_MAPS, "risk")

    assert (caught.value.is_gone, len(server.calls)) == (True, 3)


async def test_a_list_can_ask_for_labels_and_fields(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(PODS, labelled("a", gate="artifact"))
    server.put(PODS, labelled("b", gate="contract"))
    server.put(PODS, labelled("c"))

    by_label = await client.list(PODS, labels="gate=artifact")
    by_existence = await client.list(PODS, labels="gate")
    by_field = await client.list(PODS, fields="metadata.name=c")

    names = [
        [item["metadata"]["name"] for item in found] for found in (by_label, by_existence, by_field)
    ]
    assert names == [["a"], ["a", "b"], ["c"]]


async def test_applying_the_same_again_changes_nothing(client: ApiClient) -> None:
    body = labelled("serve", model="fraud")
    first = await client.apply(DEPLOYMENTS, body)

    second = await client.apply(DEPLOYMENTS, body)

    assert second == first


async def test_a_field_that_is_no_longer_applied_is_removed(client: ApiClient) -> None:
    await client.apply(DEPLOYMENTS, labelled("serve", model="fraud", stage="Staging"))

    applied = await client.apply(DEPLOYMENTS, labelled("serve", model="fraud"))

    assert applied["metadata"]["labels"] == {"model": "fraud"}


async def test_what_others_own_stays(client: ApiClient, server: FakeApiServer) -> None:
    server.put(DEPLOYMENTS, labelled("serve", app="api") | {"spec": {"replicas": 2}})
    await client.apply(DEPLOYMENTS, labelled("serve", model="fraud"))

    released = await client.apply(DEPLOYMENTS, labelled("serve"))

    assert (released["metadata"]["labels"], released["spec"]) == ({"app": "api"}, {"replicas": 2})


async def test_a_field_of_another_manager_is_a_conflict_until_forced(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(DEPLOYMENTS, labelled("serve", model="other"))
    body = labelled("serve", model="fraud")

    with pytest.raises(ApiError) as caught:
        await client.apply(DEPLOYMENTS, body)
    forced = await client.apply(DEPLOYMENTS, body, force=True)

    assert caught.value.is_conflict
    assert caught.value.conflicting_managers == ('conflict with "others"',)
    assert forced["metadata"]["labels"] == {"model": "fraud"}


async def test_an_apply_with_another_version_or_uid_is_a_conflict(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(DEPLOYMENTS, labelled("serve"))
    answers = []
    for name in ("resourceVersion", "uid"):
        body = labelled("serve", model="fraud")
        body["metadata"][name] = "1"
        with pytest.raises(ApiError) as caught:
            await client.apply(DEPLOYMENTS, body)
        answers.append(caught.value.is_conflict)

    assert answers == [True, True]


async def test_a_status_is_written_beside_the_spec(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(MODELS, labelled("fraud") | {"spec": {"policy": "standard"}})
    body = labelled("fraud") | {"apiVersion": MODELS.api_version, "kind": "Model"}

    written = await client.apply_status(MODELS, body | {"status": {"versions": 3}, "spec": {}})

    assert (written["spec"], written["status"]) == ({"policy": "standard"}, {"versions": 3})
    assert written["metadata"]["generation"] == 1


async def test_a_status_of_what_is_not_there_is_not_found(client: ApiClient) -> None:
    with pytest.raises(ApiError) as caught:
        await client.apply_status(MODELS, labelled("fraud") | {"status": {}})

    assert caught.value.is_not_found


async def test_a_merge_of_another_version_is_a_conflict(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(CONFIG_MAPS, config_map("a", x="1"))

    with pytest.raises(ApiError) as caught:
        await client.patch(
            CONFIG_MAPS, "a", {"metadata": {"resourceVersion": "1"}}, namespace="risk"
        )

    assert caught.value.is_conflict


async def test_a_list_of_operations_is_a_json_patch(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(CONFIG_MAPS, config_map("a", x="1"))

    patched = await client.patch(
        CONFIG_MAPS, "a", [{"op": "remove", "path": "/data/x"}], namespace="risk"
    )

    assert patched["data"] == {}


async def test_deleting_takes_along_what_the_object_owns(
    client: ApiClient, server: FakeApiServer
) -> None:
    job = server.put(JOBS, labelled("job"))
    owner = {"kind": "Job", "name": "job", "uid": job["metadata"]["uid"]}
    pod = labelled("pod")
    pod["metadata"]["ownerReferences"] = [owner]
    server.put(PODS, pod)

    await client.delete(JOBS, "job", "risk", uid=job["metadata"]["uid"])

    assert (server.all(JOBS), server.all(PODS)) == ([], [])
    assert server.calls[-1].body["propagationPolicy"] == "Background"


async def test_another_object_of_the_same_name_is_not_deleted(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(JOBS, labelled("job"))

    with pytest.raises(ApiError) as caught:
        await client.delete(JOBS, "job", "risk", uid="another")

    assert (caught.value.is_conflict, len(server.all(JOBS))) == (True, 1)


async def test_a_log_is_text(client: ApiClient, server: FakeApiServer) -> None:
    server.logs["risk", "pod"] = "one\ntwo\n"

    assert await client.logs("pod", "risk", tail=2) == "one\ntwo\n"
    assert server.calls[-1].query == {"tailLines": "2"}


async def test_a_server_that_hangs_up_is_unavailable_and_may_have_written(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.fail(when="after")

    with pytest.raises(UnavailableError, match="did not answer"):
        await client.create(CONFIG_MAPS, config_map("a"))

    assert await client.find(CONFIG_MAPS, "a", "risk") is not None


async def test_every_call_is_observed(server: FakeApiServer) -> None:
    observed: list[tuple[str, int]] = []
    client = ApiClient(
        server.credentials(), observe=lambda method, code, _: observed.append((method, code))
    )
    async with client:
        await client.list(CONFIG_MAPS)
        await client.find(CONFIG_MAPS, "a", "risk")
        server.is_down = True
        with pytest.raises(UnavailableError):
            await client.list(CONFIG_MAPS)

    assert observed == [("GET", 200), ("GET", 404), ("GET", 0)]


async def test_no_kubeconfig_is_the_platform_teams_to_correct(tmp_path: Any) -> None:
    with pytest.raises(MisconfiguredError, match="there is no file"):
        await connect(tmp_path / "none")
