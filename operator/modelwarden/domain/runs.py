"""A gate's run as it is judged: how long it may take to start, when it is tried again, its end."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from modelwarden.domain.brought_results import read_brought
from modelwarden.domain.facts import GateSpec, RunFacts, RunState
from modelwarden.domain.gate_results import GateResult, is_code, read_result
from modelwarden.domain.gates import measures
from modelwarden.domain.installation import GateLimits
from modelwarden.domain.run_causes import FETCH_FAILED, NEVER_STARTED, cause_of
from modelwarden.domain.scribe import moment
from modelwarden.domain.state import GateOutcome, GateState
from modelwarden.domain.texts import plain, shortened

# An infrastructure fault is tried again so often, and then the gate is lost.
TRIES = 3
# How long a gate is let rest after its first inconclusive try, and after the next ones.
REST_SECONDS = (10, 30)
# After so long without running a pod is asked for its events: some faults are told nowhere else.
NOTICE_SECONDS = 30

_LONGEST_DETAIL = 600


def run_result(run: RunFacts, gate: GateSpec, *, digest: str) -> GateResult:
    """Read a run that has ended, by what ended it or else by what it said.

    An image of ours names the artifact that it judged; a brought one was given it, digest checked.
    """
    if run.reason == FETCH_FAILED:
        return _what_fetch_said(run)
    if run.reason:
        return _what_happened(run)
    if gate.job is not None:
        return read_brought(run.message, run.exit_code, measures=measures(gate))
    return read_result(run.message, run.exit_code, digest=digest)


def gives_up_at(run: RunFacts, *, limits: GateLimits) -> datetime | None:
    """Say when a run is given up that has not started; None for one that runs or has ended."""
    if run.state is not RunState.RUNNING or run.idle_since is None:
        return None
    return run.idle_since + timedelta(seconds=limits.start_seconds)


def given_up(run: RunFacts, *, now: datetime, limits: GateLimits) -> RunFacts:
    """End a run that has not started within its time, with what is known to keep it."""
    end = gives_up_at(run, limits=limits)
    if end is None or now < end:
        return run
    return replace(run, state=RunState.FINISHED, reason=run.reason or NEVER_STARTED)


def rests_until(recorded: GateState | None) -> datetime | None:
    """Say until when a gate is let rest before it is tried again; None where nothing was lost."""
    if recorded is None or recorded.final:
        return None
    seconds = REST_SECONDS[min(recorded.tries, len(REST_SECONDS)) - 1]
    return moment(recorded.finished) + timedelta(seconds=seconds)


def what_is_in_its_way(run: RunFacts) -> str:
    """Say in Kubernetes' own words what keeps a run from starting; empty while nothing does."""
    return f"{run.reason}{_detail(run)}" if run.reason else ""


def _what_happened(run: RunFacts) -> GateResult:
    cause = cause_of(run.reason)
    word = "" if run.reason == cause.code else f" ({run.reason})"
    sentence = f"{cause.says}{word}{_detail(run)}"
    return GateResult(outcome=cause.outcome, code=cause.code, sentence=sentence)


def _what_fetch_said(run: RunFacts) -> GateResult:
    """Read what our own init container left: it tells a fault of the artifact from the store's."""
    said = _object(run.message)
    code, sentence = said.get("code"), said.get("sentence")
    if not is_code(code) or not isinstance(sentence, str):
        return _what_happened(run)
    is_fault = said.get("outcome") == GateOutcome.FAILED.value
    outcome = GateOutcome.FAILED if is_fault else GateOutcome.INCONCLUSIVE
    return GateResult(outcome=outcome, code=str(code), sentence=plain(sentence))


def _detail(run: RunFacts) -> str:
    text = shortened(plain(" ".join(run.detail.split())), _LONGEST_DETAIL)
    if not text:
        return "."
    return f": {text}" if text.endswith((".", "…")) else f": {text}."


def _object(message: str) -> Mapping[str, Any]:
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
