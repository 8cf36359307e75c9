"""Why a version is where it is: all that holds it back, at once, and what to do next.

It is told from the objects as anybody reads them; the controller's own verdicts are in them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from modelwarden.domain.ages import ago
from modelwarden.domain.approvals_told import approval_lines
from modelwarden.domain.attempts_told import (
    Line,
    Mark,
    Raw,
    attempt_lines,
    condition,
    failed_gates,
    is_open,
    marked,
    order_of,
    unmet,
)
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage

# Gates and approvals have lines of their own, which say the same.
_TOLD_ELSEWHERE = frozenset(
    {
        "ApprovalsMissing",
        "EvidenceNotReady",
        "GateFailed",
        "GateFinished",
        "GatePending",
        "GateQueued",
        "GateRetrying",
        "GateRunning",
        "GateWaiting",
    }
)


class State(StrEnum):
    """Whether anything is asked of the version that is not so yet."""

    SETTLED = "Settled"
    WAITING = "Waiting"
    REFUSED = "Refused"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One version: where it is and what was asked, line by line what holds, and what to do."""

    namespace: str
    model: str
    version: int
    stage: str
    state: State
    headline: str
    lines: tuple[Line, ...]
    next_steps: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write the explanation as JSON."""
        return {
            "namespace": self.namespace,
            "model": self.model,
            "version": self.version,
            "stage": self.stage,
            "state": self.state.value,
            "headline": self.headline,
            "lines": [line.to_json() for line in self.lines],
            "next": list(self.next_steps),
        }


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be explained, as it was read; `record` is None for a version that is not there."""

    model: Raw
    version: int
    record: Raw | None
    attempts: Sequence[Raw]

    @property
    def name(self) -> str:
        """The model and the version."""
        return f"{self.model['metadata']['name']} {self.version}"

    @property
    def stage(self) -> str:
        """Where the version is; empty while it is not recorded."""
        return str((self.record or {}).get("status", {}).get("stage", ""))

    @property
    def registration(self) -> str:
        """Whether the version is registered: True, False or Unknown, as conditions say it."""
        return str(condition(self.record, "Ready").get("status", "Unknown"))

    def unmet(self, attempt: Raw | None) -> tuple[Raw, ...]:
        """Everything that holds the version back, in its attempt and outside of it."""
        own = (item for item in unmet(self.model) if item["version"] == self.version)
        return (*unmet(attempt), *own)


def explain(subject: Subject, *, now: datetime) -> Explanation:
    """Explain one version."""
    wish = _wish(subject)
    attempt = _attempt_that_matters(subject, wish)
    lines = _lines(subject, attempt)
    return Explanation(
        namespace=subject.model["metadata"].get("namespace", ""),
        model=subject.model["metadata"]["name"],
        version=subject.version,
        stage=subject.stage,
        state=_state(subject, attempt, lines),
        headline=_headline(subject, attempt, wish=wish, now=now),
        lines=lines,
        next_steps=_next_steps(subject, attempt, lines=lines, wish=wish),
    )


def versions_in_question(model: Raw, attempts: Iterable[Raw]) -> tuple[int, ...]:
    """List the versions about which something is open or refused, lowest first."""
    held = {item["version"] for item in unmet(model)}
    opened = {attempt["spec"]["version"] for attempt in attempts if is_open(attempt)}
    return tuple(sorted(held | opened))


def failed_registrations(versions: Iterable[Raw]) -> tuple[int, ...]:
    """List the versions whose registration failed, lowest first."""
    failed = (item for item in versions if condition(item, "Ready").get("status") == "False")
    return tuple(sorted(item["spec"]["version"] for item in failed))


def without_model(record: Raw) -> Subject:
    """Look at a version whose Model does not exist: that, and what its own conditions say."""
    version, name = record["spec"]["version"], record["spec"]["model"]
    namespace = record["metadata"]["namespace"]
    held = {
        "version": version,
        "outcome": "Wait",
        "code": "ModelNotFound",
        "message": f"Model {name} does not exist in {namespace}.",
        "nextStep": "Apply the Model; the version waits for it.",
    }
    nowhere = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {},
        "status": {"observedGeneration": 0, "unmet": [held]},
    }
    return Subject(model=nowhere, version=version, record=record, attempts=())


@dataclass(frozen=True)
class _Wish:
    """What spec.stages says of a version now."""

    stage: str
    reason: str
    author: str
    id: str


def _wish(subject: Subject) -> _Wish | None:
    stages = subject.model["spec"].get("stages", {})
    production = stages.get("production", {})
    if production.get("version") == subject.version:
        return _wished(subject, Stage.PRODUCTION, production, part="stages.production")
    for stage in (Stage.ARCHIVED, Stage.REGISTERED, Stage.STAGING):
        name = stage.lower()
        for entry in stages.get(name, ()):
            if entry["version"] == subject.version and not _stays(subject, stage):
                return _spent(subject, _wished(subject, stage, entry, part=_part(subject, name)))
    return None


def _part(subject: Subject, name: str) -> str:
    return f"stages.{name}/{subject.version}"


def _stays(subject: Subject, stage: Stage) -> bool:
    """Say whether a version stays in Production, above Staging, until its own line is removed."""
    is_up = (subject.stage, stage) == (Stage.PRODUCTION, Stage.STAGING)
    taken_back = _author_of(subject, _part(subject, "production"))["id"]
    return is_up and ("production" in subject.model["spec"]["stages"] or not taken_back)


def _spent(subject: Subject, wish: _Wish) -> _Wish | None:
    """Leave out the staging entry of a version that was in Staging by it and has left since."""
    left = subject.stage in (Stage.RETIRING, Stage.ARCHIVED)
    fulfilled = any(
        attempt["spec"]["request"]["id"] == wish.id
        and condition(attempt, "Succeeded").get("status") == "True"
        for attempt in subject.attempts
        if attempt["spec"]["version"] == subject.version
    )
    return None if wish.stage == Stage.STAGING and left and fulfilled else wish


def _wished(subject: Subject, stage: Stage, entry: Raw, *, part: str) -> _Wish:
    """Read an entry as a wish; of the version in Production its removed line is a wish too."""
    author = _author_of(subject, part, _part(subject, "production"))
    taken_back = part not in author.get("of", (part,))
    reason = "taken back" if taken_back and stage is Stage.STAGING else entry["reason"]
    return _Wish(stage.value, reason, author["by"]["username"], author["id"])


def _author_of(subject: Subject, *parts: str) -> Raw:
    """Find who changed one of the parts last; nobody where nobody is stamped."""
    authors = subject.model["spec"].get("authors", ())
    found = [item for item in authors if any(part in item["of"] for part in parts)]
    return found[-1] if found else {"id": "", "by": {"username": ""}}


def _attempt_that_matters(subject: Subject, wish: _Wish | None) -> Raw | None:
    """Take the open attempt, else the one that answered the wish, else the one that led here."""
    own = [a for a in subject.attempts if a["spec"]["version"] == subject.version]
    newest_first = sorted(own, key=order_of, reverse=True)
    opened = next((attempt for attempt in newest_first if is_open(attempt)), None)
    if opened is not None:
        return opened
    if wish is None and subject.stage in (Stage.RETIRING, Stage.ARCHIVED):
        return next((attempt for attempt in newest_first if _led_to(attempt, subject.stage)), None)
    if wish is None or wish.stage == subject.stage:
        led_here = (attempt for attempt in newest_first if _led_to_production(attempt, subject))
        return next(led_here, None) or next(iter(newest_first), None)
    return next(
        (
            attempt
            for attempt in newest_first
            if attempt["spec"]["request"]["id"] == wish.id
            and condition(attempt, "Succeeded").get("status") == "False"
        ),
        None,
    )


def _led_to_production(attempt: Raw, subject: Subject) -> bool:
    """Say whether an attempt brought the version into Production, where it is."""
    return subject.stage == Stage.PRODUCTION and _led_to(attempt, subject.stage)


def _led_to(attempt: Raw, stage: str) -> bool:
    succeeded = condition(attempt, "Succeeded").get("status") == "True"
    return bool(succeeded and attempt["spec"]["to"] == stage)


def _lines(subject: Subject, attempt: Raw | None) -> tuple[Line, ...]:
    told = () if attempt is None else (*attempt_lines(attempt), *approval_lines(attempt))
    found = [*_unseen(subject), *told]
    others = [
        Line(marked(item["outcome"]), item["code"], item["message"])
        for item in subject.unmet(attempt)
        if item["code"] not in _TOLD_ELSEWHERE
    ]
    for line in others:
        if not any(_repeats(line, said) for said in found):
            found.append(line)
    for line in (*_end_of(attempt), *_registration(subject, attempt)):
        if not any(line.subject == said.subject or _repeats(line, said) for said in found):
            found.append(line)
    return (*found, *_policy_since(subject, attempt))


def _repeats(line: Line, said: Line) -> bool:
    """Say whether a line tells what another one has told, perhaps in a longer sentence."""
    return line.text in said.text or (
        line.mark is said.mark and bool(said.text) and said.text in line.text
    )


def _end_of(attempt: Raw | None) -> tuple[Line, ...]:
    """Say why a closed attempt did not reach its stage, unless its gates have said it."""
    succeeded = condition(attempt, "Succeeded")
    if succeeded.get("status") != "False" or succeeded["reason"] in _TOLD_ELSEWHERE:
        return ()
    return (Line(Mark.FAILED, succeeded["reason"], succeeded.get("message", "")),)


def _registration(subject: Subject, attempt: Raw | None) -> tuple[Line, ...]:
    """Say why a version is not registered where no attempt to register it says so."""
    ready = condition(subject.record, "Ready")
    if attempt is not None or not ready or subject.registration == "True":
        return ()
    mark = Mark.FAILED if subject.registration == "False" else Mark.WAITING
    return (Line(mark, ready["reason"], ready.get("message", "")),)


def _unseen(subject: Subject) -> tuple[Line, ...]:
    """Say that the operator has not looked at the newest edit, or at anything yet."""
    found = []
    for kind, item in (("Model", subject.model), ("ModelVersion", subject.record)):
        if item is None:
            continue
        seen = item.get("status", {}).get("observedGeneration", -1)
        if seen < item["metadata"].get("generation", 0):
            text = f"The operator has not looked at the newest state of the {kind} yet."
            found.append(Line(Mark.WAITING, "NotSeenYet", text))
    return tuple(found)


def _policy_since(subject: Subject, attempt: Raw | None) -> tuple[Line, ...]:
    """Say that the policy was changed since an open attempt froze it."""
    if attempt is None or not is_open(attempt):
        return ()
    frozen = attempt["spec"].get("policy", {})
    now = subject.model.get("status", {}).get("policy", {})
    if not frozen or now.get("name") != frozen["name"] or now["digest"] == frozen["digest"]:
        return ()
    text = f"Policy {frozen['name']} was changed since; this attempt goes by what it said then."
    return (Line(Mark.NOTE, "PolicyChangedSince", text),)


def _state(subject: Subject, attempt: Raw | None, lines: Sequence[Line]) -> State:
    if subject.registration == "False" or subject.record is None:
        return State.REFUSED
    if any(item["outcome"] == "Deny" for item in subject.unmet(attempt)):
        return State.REFUSED
    if is_open(attempt) or any(line.mark is Mark.WAITING for line in lines):
        return State.WAITING
    return State.SETTLED


def _headline(subject: Subject, attempt: Raw | None, *, wish: _Wish | None, now: datetime) -> str:
    where = _where(subject)
    registers = attempt is None or attempt["spec"]["kind"] == "Register"
    if registers and wish is not None and wish.stage != subject.stage:
        return f'{where} {wish.author or "Somebody"} asked for {wish.stage}: "{wish.reason}".'
    if attempt is None:
        return f"{where} {_went(subject, now)}".strip()
    return f"{where} {_asked(attempt, now)}"


def _went(subject: Subject, now: datetime) -> str:
    """Say since when a version is where no request for it brought it, and why."""
    history = (subject.record or {}).get("status", {}).get("history", ())
    if subject.stage not in (Stage.RETIRING, Stage.ARCHIVED) or not history:
        return ""
    last = history[-1]
    reason = f': "{last["reason"]}".' if last.get("reason") else "."
    return f"It went there {ago(moment(last['time']), now)}{reason}"


def _where(subject: Subject) -> str:
    if subject.record is None:
        return f"{subject.name} does not exist."
    if subject.registration == "True":
        gone = subject.stage in (Stage.RETIRING, Stage.ARCHIVED)
        return f"{subject.name} is {'' if gone else 'in '}{subject.stage}."
    if subject.registration == "False":
        if subject.stage == Stage.REGISTERED:
            return f"{subject.name} is Registered, but invalid: its registration failed."
        return f"{subject.name} is not registered."
    return f"{subject.name} is being registered."


def _asked(attempt: Raw, now: datetime) -> str:
    request = attempt["spec"]["request"]
    who = request.get("author", {}).get("username") or "Somebody unknown"
    when = ago(moment(attempt["metadata"]["creationTimestamp"]), now)
    if attempt["spec"]["kind"] == "Register":
        return f"{who} registered it {when}."
    entry = request["entry"]
    asked = _ASKED.get(attempt["spec"]["kind"])
    if asked is not None:
        reason = f': "{entry["reason"]}".' if entry.get("reason") else "."
        return f"{who} asked {asked.format(to=attempt['spec']['to'])} {when}{reason}"
    wanted = "Production" if entry.get("part") == "stages.production" else attempt["spec"]["to"]
    reason = f': "{entry["reason"]}".' if entry.get("reason") else "."
    step = "" if wanted == attempt["spec"]["to"] else f" The step to {attempt['spec']['to']}:"
    return f"{who} asked for {wanted} {when}{reason}{step}"


_ASKED = {
    "Rollback": "to roll back to it",
    "Withdraw": "to take it out of Production",
    "Demote": "to take it back to {to}",
    "Archive": "to archive it",
}


def _next_steps(
    subject: Subject, attempt: Raw | None, *, lines: Sequence[Line], wish: _Wish | None
) -> tuple[str, ...]:
    lost = failed_gates(attempt)
    if attempt is not None and lost and not is_open(attempt):
        return (_try_again(subject, lost),)
    # The command for a vote is told below, about this very version.
    steps = [
        item["nextStep"]
        for item in subject.unmet(attempt)
        if item.get("nextStep") and item["code"] != "ApprovalsMissing"
    ]
    if attempt is not None and any(i["code"] == "ApprovalsMissing" for i in unmet(attempt)):
        steps.append(_vote(subject, attempt))
    if not steps and any(line.mark in (Mark.WAITING, Mark.RUNNING) for line in lines):
        steps = ["nothing is asked of anybody: a machine or the clock is at work."]
    if not steps and wish is None and subject.stage == "Registered":
        steps = [_promote(subject)]
    return tuple(dict.fromkeys(steps))


def _try_again(subject: Subject, lost: tuple[str, ...]) -> str:
    return (
        f"register a version that meets {' and '.join(lost)}, or mend what failed and have it "
        f"tried again: kubectl model retry {subject.name} {_at(subject)} --rationale ..."
    )


def _vote(subject: Subject, attempt: Mapping[str, Any]) -> str:
    return (
        f"whoever is missing looks at it and votes: kubectl model approve {subject.name} "
        f"--to {attempt['spec']['to'].lower()} {_at(subject)} --rationale ..."
    )


def _promote(subject: Subject) -> str:
    return (
        f"ask for Staging: kubectl model promote {subject.name} --to staging {_at(subject)} "
        "--reason ..."
    )


def _at(subject: Subject) -> str:
    return f"-n {subject.model['metadata'].get('namespace', 'default')}"
