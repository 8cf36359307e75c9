import json

from modelwarden.cluster.paths import JOBS, MODEL_TRANSITIONS, PODS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.fakes.store import RefusalError
from tests.workflows.world import GATES, World


async def failed(world: World) -> None:
    """Version 1 was asked into Staging, and its metrics do not suffice."""
    total = {"name": "auc", "value": "0.87", "samples": 100}
    segment = {**total, "segment": {"age_band": "18-25"}, "samples": 150}
    world.register(1, metrics=[total, segment])
    await world.settle("fraud-detector-1")
    world.ask("r1", builders.stages(staging=(1,)), stories.STAGING)
    await world.settle()


async def test_every_gate_is_shown_with_what_it_found_and_what_it_needs(
    world: World, cli: Run
) -> None:
    await failed(world)

    result = await cli("gates", "fraud-detector", "1")

    assert (result.code, timeless(result.out)) == (0, golden("gates.txt"))


async def test_gates_that_still_run_are_shown_as_running(world: World, cli: Run) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    await world.look("fraud-detector-1")

    result = await cli("gates", "fraud-detector", "1")

    assert (result.code, result.out.splitlines()[0]) == (0, "Registered, attempt 1: open")


async def test_a_machine_gets_the_gates_of_each_attempt(world: World, cli: Run) -> None:
    await failed(world)

    told = json.loads((await cli("gates", "fraud-detector", "1", "-o", "json")).out)

    assert [(item["to"], item["succeeded"], len(item["gates"])) for item in told] == [
        ("Registered", "True", 3),
        ("Staging", "False", 1),
    ]


async def test_a_version_without_attempts_has_no_gates_yet(world: World, cli: Run) -> None:
    world.register(1)

    results = [await cli("gates", "fraud-detector", number) for number in ("1", "2")]

    assert [(result.code, result.err) for result in results] == [
        (1, "Nothing was looked at yet for fraud-detector 1.\n"),
        (1, "fraud-detector has no version 2. It has 1.\n"),
    ]


async def running(world: World) -> str:
    """The artifact gate of version 1 runs, in the pod that is named."""
    world.register(1)
    await world.look("fraud-detector-1")
    await world.look("fraud-detector-1")
    (job,) = world.server.all(JOBS, GATES)
    name = f"{job['metadata']['name']}-abcde"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": GATES, "labels": job["metadata"]["labels"]},
        "spec": job["spec"]["template"]["spec"],
        "status": {},
    }
    world.server.put(PODS, pod)
    world.server.logs[GATES, name] = "reading model.onnx\n3 of 9 parts\n"
    return name


async def test_the_log_of_a_gate_that_runs_is_that_of_its_pod(world: World, cli: Run) -> None:
    name = await running(world)

    result = await cli("logs", "fraud-detector", "1", "artifact")

    assert (result.code, result.out) == (
        0,
        (
            f"fraud-detector-1-registered-1 artifact (Running) from {GATES}/{name} (validate)\n"
            "  reading model.onnx\n"
            "  3 of 9 parts\n"
        ),
    )


async def test_whoever_may_not_read_pods_gets_what_the_result_keeps(world: World, cli: Run) -> None:
    await running(world)
    refusal = RefusalError(403, "Forbidden", 'pods is forbidden: User "m" cannot list')
    world.server.fail(where=lambda call: call.resource == PODS, answer=refusal)

    result = await cli("logs", "fraud-detector", "1", "artifact")

    assert (result.code, result.out, result.err) == (
        0,
        "fraud-detector-1-registered-1 artifact (Running): no log is kept, and no pod is there\n",
        f"You may not read pods in {GATES}: shown is what results keep.\n",
    )


async def test_the_end_of_a_failed_gates_log_is_kept_with_its_result(
    world: World, cli: Run
) -> None:
    await running(world)
    attempt = world.transition("fraud-detector-1-registered-1")
    gate = {"name": "artifact", "outcome": "Failed", "logTail": "one\ntwo\nthree\n"}
    attempt["status"]["gates"] = [gate]
    world.server.store.patch(
        MODEL_TRANSITIONS,
        (builders.NAMESPACE, "fraud-detector-1-registered-1"),
        lambda live: live | {"status": attempt["status"]},
        subresource="status",
    )

    result = await cli("logs", "fraud-detector", "1", "--tail", "2")

    assert (result.code, result.out) == (
        0,
        (
            "fraud-detector-1-registered-1 artifact (Failed) from kept with the result\n"
            "  two\n"
            "  three\n"
        ),
    )


async def test_a_gate_that_is_not_there_is_answered_with_those_that_are(
    world: World, cli: Run
) -> None:
    await failed(world)

    result = await cli("logs", "fraud-detector", "1", "holdout")

    assert (result.code, result.err) == (
        1,
        "fraud-detector 1 has no gate holdout. It has metadata, format, artifact, quality.\n",
    )
