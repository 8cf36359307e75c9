"""Every way down and back on a real cluster: on record, as a warning and as a number."""

import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from tests.cluster import arena
from tests.cluster.example import Example
from tests.cluster.installed import SYSTEM, Installed
from tests.cluster.running import until
from tests.cluster.team import Team, team

WAIT = ("--wait", "--timeout=2m")


@pytest.fixture(scope="module")
def movers(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose models may move without anybody's vote, if they want."""
    with operator.cluster.namespace("moves") as namespace:
        made = team(operator, namespace, tmp_path_factory.mktemp("models"))
        operator.cluster.apply(arena.policy())
        made.example.may_use(arena.POLICY)
        yield made


@pytest.fixture(scope="module")
def mover(movers: Team) -> Example:
    """Version 2 in Production, where it replaced version 1, and version 3 in Staging."""
    example = movers.declare("mover", policy=arena.POLICY)
    movers.register(example, 1, 2, 3)
    for number in (1, 2):
        movers.ask(example, number)
        example.await_stage(number, "Production")
    movers.ask(example, 3, to="staging")
    example.await_stage(3, "Staging")
    return example


def warnings(example: Example) -> list[tuple[str, str]]:
    """Reason and message of every warning on the Model, oldest first."""
    told = example.installed.cluster.get(
        "events",
        f"--namespace={example.namespace}",
        f"--field-selector=type=Warning,involvedObject.kind=Model,involvedObject.name={example.model}",
    )["items"]
    ordered = sorted(told, key=lambda event: str(event["eventTime"]))
    return [(event["reason"], event["message"]) for event in ordered]


def counted(example: Example, name: str, **labels: str) -> float:
    """Read a number of the controller as Prometheus does."""
    cluster = example.installed.cluster
    with (
        cluster.forwarded(SYSTEM, "service/modelwarden-controller", 8080) as address,
        urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer,
    ):
        text = answer.read().decode()
    samples = (sample for family in families(text) for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and s.labels == labels)


def demotions(example: Example, kind: str, source: str, target: str) -> float:
    """How often a version went down in such a way."""
    labels = {"kind": kind, "from": source, "to": target}
    return counted(example, "modelwarden_demotions_total", **labels)


def last_move(example: Example, number: int) -> tuple[str, str]:
    """Where a version went last, and why."""
    moved = example.get("modelversion", f"{example.model}-{number}")["status"]["history"][-1]
    return moved["to"], moved["reason"]


def test_a_demotion_out_of_staging_is_a_warning_with_its_reason(mover: Example) -> None:
    before = demotions(mover, "Demote", "Staging", "Registered")

    told = mover.ask("engineer", "demote", "mover", "3", "--reason=It drifts, RISK-3", *WAIT)

    assert told.code == 0, told.complaint
    said = until(lambda: warnings(mover), what="a warning")
    assert said[-1] == ("Demoted", '3 went from Staging to Registered: "It drifts, RISK-3"')
    assert last_move(mover, 3) == ("Registered", "It drifts, RISK-3")
    assert demotions(mover, "Demote", "Staging", "Registered") == before + 1


def test_what_is_archived_by_somebody_is_a_warning_with_its_reason(mover: Example) -> None:
    before, seen = demotions(mover, "Archive", "Registered", "Archived"), len(warnings(mover))

    told = mover.ask("engineer", "archive", "mover", "3", "--reason=Not needed, RISK-4", *WAIT)

    assert told.code == 0, told.complaint
    until(lambda: len(warnings(mover)) > seen, what="one more warning")
    said = ("Archived", '3 went from Registered to Archived: "Not needed, RISK-4"')
    assert warnings(mover)[-1] == said
    assert last_move(mover, 3) == ("Archived", "Not needed, RISK-4")
    assert demotions(mover, "Archive", "Registered", "Archived") == before + 1


def test_a_rollback_is_a_warning_that_names_both_versions(movers: Team, mover: Example) -> None:
    before, seen = demotions(mover, "Rollback", "Production", "Retiring"), len(warnings(mover))

    told = mover.ask("engineer", "rollback", "mover", "--reason=Latency, INC-7", *WAIT)

    assert told.code == 0, told.complaint
    until(lambda: len(warnings(mover)) > seen, what="one more warning")
    assert warnings(mover)[seen] == (
        "RolledBack",
        '1 is in Production again; 2 went from Production to Retiring: "Latency, INC-7"',
    )
    assert (last_move(mover, 1), movers.carried("mover")) == (
        ("Production", "Latency, INC-7"),
        "1",
    )
    assert demotions(mover, "Rollback", "Production", "Retiring") == before + 1


def test_a_request_that_is_taken_back_ends_its_attempt_and_moves_nothing(movers: Team) -> None:
    asked = movers.declare("asked")
    movers.register(asked, 1)
    movers.ask(asked, 1)
    asked.await_votes(1)

    told = asked.ask("manager", "cancel", "asked", "1", *WAIT)

    assert told.code == 0, told.complaint
    attempt = asked.get("modeltransition", "asked-1-production-1")
    ended = next(c for c in attempt["status"]["conditions"] if c["type"] == "Succeeded")
    assert (ended["status"], ended["reason"], asked.stage(1)) == ("False", "TakenBack", "Staging")
    assert warnings(asked) == []
    ended_so = {"kind": "Promote", "outcome": "Superseded", "code": ended["reason"]}
    assert counted(asked, "modelwarden_attempts_total", **ended_so) >= 1
