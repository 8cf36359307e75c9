"""One run of a gate: what the operator asks through the environment, and the answer left behind."""

import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol

from modelwarden.artifacts.claims import DEFAULT_FOLDER, FOLDER
from modelwarden.artifacts.places import source_at
from modelwarden.artifacts.s3 import Credentials, StoreAccess
from modelwarden.artifacts.sources import Source
from modelwarden.domain.gate_results import EXIT_CODES, GateResult
from modelwarden.domain.state import GateOutcome
from modelwarden.validation import artifact_gate, contract_gate
from modelwarden.validation.artifact_gate import ArtifactClaim
from modelwarden.validation.result import leave, message

GATE: Final = "MODELWARDEN_GATE"
STORE: Final = "MODELWARDEN_STORE"
RESULT: Final = "MODELWARDEN_RESULT"
DEFAULT_RESULT: Final = "/dev/termination-log"
CANNOT_BEGIN: Final = 2


class Look(Protocol):
    """What a kind of gate does with an artifact."""

    def __call__(
        self, claim: ArtifactClaim, open_source: Callable[[], Source], /, *, work: Path
    ) -> GateResult:
        """Bring the artifact into an empty folder and say what was found."""
        ...


GATES: Final[Mapping[str, Look]] = MappingProxyType(
    {"artifact": artifact_gate.judge, "contract": contract_gate.measure}
)


class StopRequestedError(BaseException):
    """The pod is to end. No handler of ordinary errors on the way may take it for its own."""


def run_validate(environment: Mapping[str, str], kind: str) -> int:
    """Let a kind of gate look at the artifact that the environment names, and leave the result.

    Gives the exit code that goes with it.

    Without a readable question nothing is left: the operator takes that for a failure.
    """
    try:
        question = _object(environment[GATE])
        claim, access = ArtifactClaim.from_json(question), _access(environment)
    except (KeyError, TypeError, ValueError) as error:
        _say(f"{GATE} or {STORE} cannot be read: {error!r}")
        return CANNOT_BEGIN
    claims = Path(environment.get(FOLDER) or DEFAULT_FOLDER)
    opened = partial(source_at, claim.uri, access, claims=claims)
    started = _now()
    result = replace(_judged(claim, opened, kind=kind), started_at=started, ended_at=_now())
    text = message(result, gate=str(question["gate"]), uri=claim.uri, digest=claim.digest)
    leave(text, Path(environment.get(RESULT) or DEFAULT_RESULT))
    _say(f"{result.outcome}: {result.code}: {result.sentence}")
    return EXIT_CODES[result.outcome]


def _judged(claim: ArtifactClaim, opened: Callable[[], Source], *, kind: str) -> GateResult:
    look = GATES[kind]
    try:
        with _stopped_by_sigterm(), tempfile.TemporaryDirectory() as work:
            return look(claim, opened, work=Path(work))
    except StopRequestedError:
        return GateResult(
            outcome=GateOutcome.INCONCLUSIVE,
            code="Stopped",
            sentence="The validation was stopped before it had an answer, as at a deadline.",
        )


def _access(environment: Mapping[str, str]) -> StoreAccess:
    store = _object(environment[STORE])
    return StoreAccess(
        endpoint=store.get("endpoint") or None,
        region=store.get("region") or None,
        addressing=store.get("addressing") or None,
        credentials=_credentials(environment),
    )


def _object(text: str) -> Mapping[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def _credentials(environment: Mapping[str, str]) -> Credentials | None:
    if not environment.get("AWS_ACCESS_KEY_ID"):
        return None
    return Credentials(
        access_key=environment["AWS_ACCESS_KEY_ID"],
        secret_key=environment["AWS_SECRET_ACCESS_KEY"],
        session_token=environment.get("AWS_SESSION_TOKEN") or None,
    )


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> NoReturn:
        # Once is enough: what follows is short, and must not be stopped in its turn.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise StopRequestedError

    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _say(sentence: str) -> None:
    sys.stderr.write(f"modelwarden validate: {sentence}\n")
