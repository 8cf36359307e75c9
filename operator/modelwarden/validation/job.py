"""One run of a gate: what the operator asks through the environment, and the answer left behind."""

import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from modelwarden.artifacts.failures import ArtifactRefusedError
from modelwarden.artifacts.s3 import Credentials, S3Source, StoreAccess, connect
from modelwarden.domain.artifact_uri import ArtifactUri, Scheme, parse
from modelwarden.domain.gate_results import EXIT_CODES, GateResult
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.artifact_gate import ArtifactClaim, judge
from modelwarden.validation.result import leave, message

GATE: Final = "MODELWARDEN_GATE"
STORE: Final = "MODELWARDEN_STORE"
RESULT: Final = "MODELWARDEN_RESULT"
DEFAULT_RESULT: Final = "/dev/termination-log"
CANNOT_BEGIN: Final = 2


class StopRequestedError(BaseException):
    """The pod is to end. No handler of ordinary errors on the way may take it for its own."""


def run_validate(environment: Mapping[str, str]) -> int:
    """Judge the artifact that the environment names, leave the result, and give its exit code.

    Without a readable question nothing is left: the operator takes that for a failure.
    """
    try:
        question = _object(environment[GATE])
        claim, access = ArtifactClaim.from_json(question), _access(environment)
    except (KeyError, TypeError, ValueError) as error:
        _say(f"{GATE} or {STORE} cannot be read: {error!r}")
        return CANNOT_BEGIN
    started = _now()
    result = replace(_judged(claim, access), started_at=started, ended_at=_now())
    text = message(result, gate=str(question["gate"]), uri=claim.uri, digest=claim.digest)
    leave(text, Path(environment.get(RESULT) or DEFAULT_RESULT))
    _say(f"{result.outcome}: {result.code}: {result.sentence}")
    return EXIT_CODES[result.outcome]


def _judged(claim: ArtifactClaim, access: StoreAccess) -> GateResult:
    try:
        with _stopped_by_sigterm(), tempfile.TemporaryDirectory() as work:
            return judge(claim, partial(_source, claim.uri, access), work=Path(work))
    except StopRequestedError:
        return GateResult(
            outcome=GateOutcome.INCONCLUSIVE,
            code="Stopped",
            sentence="The validation was stopped before it had an answer, as at a deadline.",
        )


def _source(uri: str, access: StoreAccess) -> S3Source:
    place = parse(uri)
    if not isinstance(place, ArtifactUri):
        raise ArtifactRefusedError(place.code, place.message)
    if place.scheme is not Scheme.S3:
        raise ArtifactRefusedError("StoreNotSupported", f"Nothing is read from {uri} yet.")
    return S3Source(connect(access), place)


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
