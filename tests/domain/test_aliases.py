"""What names of versions mean: the derived ones follow the ledger, chosen ones the Model."""

from collections.abc import Mapping

import pytest

from modelwarden.domain.aliases import aliases_now, latest, unresolved
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState
from tests.domain.builders import state, version_state

LEDGER = state({1: Stage.PRODUCTION, 2: Stage.STAGING, 3: Stage.STAGING, 4: Stage.REGISTERED})
INVALID = state(
    versions={
        1: version_state(1),
        2: version_state(2, uid=""),
        7: version_state(7, valid=False),
        9: version_state(9, valid=False),
    }
)


@pytest.mark.parametrize(
    ("chosen", "known", "means"),
    [
        ({}, state(), {}),
        ({}, LEDGER, {"champion": 1, "latest": 4, "production": 1, "staging": 3}),
        (
            {"candidate": 2, "best": 1},
            state({1: Stage.REGISTERED, 2: Stage.ARCHIVED}),
            {"best": 1, "candidate": 2, "latest": 2},
        ),
        ({"candidate": 9, "gone": 2, "next": 10}, INVALID, {"latest": 2}),
        # The schema refuses it; were it there, the derived one would count.
        ({"production": 3}, LEDGER, {"champion": 1, "latest": 4, "production": 1, "staging": 3}),
    ],
    ids=["nothing", "derived", "chosen", "not registered", "a derived name"],
)
def test_every_name_means_a_version_that_is_there(
    chosen: Mapping[str, int], known: ModelState, means: Mapping[str, int]
) -> None:
    assert aliases_now(chosen, known) == means


def test_a_chosen_name_of_a_version_that_is_not_there_waits_with_what_to_do() -> None:
    found = unresolved({"best": 1, "candidate": 9, "gone": 2}, INVALID)

    assert [(number, verdict.outcome.value, verdict.code) for number, verdict in found] == [
        (9, "Wait", "AliasUnresolved"),
        (2, "Wait", "AliasUnresolved"),
    ]
    assert found[0][1].sentence == "Alias candidate names version 9, which is not registered."


def test_the_latest_version_is_the_highest_that_passed_registration() -> None:
    assert [latest(known) for known in (state(), LEDGER, INVALID)] == [None, 4, 2]
