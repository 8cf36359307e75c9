"""Brings an artifact to a pod that serves it, before its containers start.

What to bring comes from the pod's own annotations, so a pod keeps the version it was made for. How
S3 is reached comes from the client library's own environment variables; a claim is read where the
pod mounts it.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from modelwarden.artifacts.bringing import bring
from modelwarden.artifacts.claims import DEFAULT_FOLDER, FOLDER
from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
)
from modelwarden.artifacts.places import source_at
from modelwarden.artifacts.s3 import StoreAccess
from modelwarden.artifacts.sources import Limits, Source
from modelwarden.domain.digests import is_digest
from modelwarden.domain.state import GateOutcome
from modelwarden.errors import ModelwardenError, UnavailableError

URI: Final = "MODELWARDEN_ARTIFACT_URI"
DIGEST: Final = "MODELWARDEN_ARTIFACT_DIGEST"
TARGET: Final = "MODELWARDEN_TARGET"
ADDRESSING: Final = "MODELWARDEN_S3_ADDRESSING"
DEFAULT_TARGET: Final = "/models"

# Where to leave word of what went wrong; without it, only the log says so.
RESULT: Final = "MODELWARDEN_RESULT"

_LONGEST_SENTENCE: Final = 600
_UNFINISHED: Final = ".modelwarden-unfinished-"


def run_fetch(environment: Mapping[str, str]) -> int:
    """Bring the artifact that the environment names; 0 if it is there or there is none yet."""
    uri, digest = environment.get(URI, ""), environment.get(DIGEST, "")
    target = Path(environment.get(TARGET) or DEFAULT_TARGET)
    if not uri:
        # Before the first promotion and after a withdrawal; the server stays unready by itself.
        _say("no model yet: this pod's annotations name no artifact")
        return 0
    access = StoreAccess(addressing=environment.get(ADDRESSING) or None)
    claims = Path(environment.get(FOLDER) or DEFAULT_FOLDER)
    try:
        size = fetch(source_at(uri, access, claims=claims), digest, into=target)
    except (ModelwardenError, OSError) as error:
        problem = _problem(error)
        _say(f"{problem.code}: {uri}: {problem.sentence}")
        if environment.get(RESULT):
            _leave(problem, Path(environment[RESULT]))
        return 1
    _say(f"{uri} is in {target}: {size} bytes, {digest}")
    return 0


def fetch(source: Source, digest: str, *, into: Path) -> int:
    """Bring one artifact into a folder and give its size; with another digest nothing arrives."""
    if not is_digest(digest):
        raise ArtifactRefusedError("DigestMissing", f"{DIGEST} is no digest: {digest!r:.100}.")
    files = source.files(Limits())
    _clear_unfinished(into)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=into))
    try:
        arrived = bring(source, files, into=unfinished)
        if arrived != digest:
            raise ArtifactRefusedError("DigestDiffers", f"Its digest is {arrived}, not {digest}.")
        _put_in_place(unfinished, into)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return sum(file.size for file in files)


@dataclass(frozen=True)
class _Problem:
    outcome: GateOutcome
    code: str
    sentence: str


def _problem(error: ModelwardenError | OSError) -> _Problem:
    """Tell a fault of the artifact, which stays, from one of the store or the pod."""
    match error:
        case ArtifactRefusedError():
            return _Problem(GateOutcome.FAILED, error.code, str(error))
        case ArtifactNotFoundError():
            return _Problem(GateOutcome.FAILED, "ArtifactNotFound", str(error))
        case StoreDeniedError():
            return _Problem(GateOutcome.INCONCLUSIVE, "StoreDenied", str(error))
        case UnavailableError():
            return _Problem(GateOutcome.INCONCLUSIVE, "StoreUnavailable", str(error))
        case OSError():
            sentence = f"It could not be written: {error.strerror or error}."
            return _Problem(GateOutcome.INCONCLUSIVE, "ArtifactNotWritten", sentence)
        case _:
            return _Problem(GateOutcome.INCONCLUSIVE, "NotFetched", str(error))


def _leave(problem: _Problem, at: Path) -> None:
    """Leave word for whoever reads the pod's termination message."""
    told = asdict(problem) | {"sentence": problem.sentence[:_LONGEST_SENTENCE]}
    at.write_text(json.dumps(told), encoding="utf-8")


def _clear_unfinished(target: Path) -> None:
    # An earlier try of the same init container may have been killed.
    for left_over in target.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left_over)


def _put_in_place(unfinished: Path, target: Path) -> None:
    for arrived in sorted(unfinished.iterdir()):
        place = target / arrived.name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        arrived.rename(place)


def _say(sentence: str) -> None:
    sys.stderr.write(f"modelwarden fetch: {sentence}\n")
