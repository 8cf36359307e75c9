"""`serving-at`: what served at a moment, with everything that is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line
from modelwarden.cli.pages.lineage import origin_rows
from modelwarden.domain.attempts_told import Raw
from modelwarden.domain.point_in_time import Answer, Approval, Served
from modelwarden.domain.scribe import moment, timestamp
from modelwarden.domain.state import Certainty, ModelKey

_TONES = {
    Certainty.EXACT: Tone.GOOD,
    Certainty.ROLLOUT_WINDOW: Tone.BUSY,
    Certainty.DECLARED: Tone.BUSY,
    Certainty.UNKNOWN: Tone.BAD,
}
_INTERVALS_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Serving:
    """An answer from the ledger; `specs` has the recorded spec of each version that was read."""

    answer: Answer
    specs: Mapping[int, Mapping[str, Any]]
    source: str

    def to_json(self) -> dict[str, Any]:
        """Write the answer as JSON, each version with what it was made from."""
        told = self.answer.to_json()
        for served in told["served"]:
            spec = self.specs.get(served["version"], {})
            served |= {name: spec[name] for name in ("lineage", "trainedBy") if name in spec}
        return told | {"source": self.source}


def serving_page(serving: Serving) -> Page:
    """Show what served, how sure that is, and all that is known of it."""
    answer = serving.answer
    versions = [page for served in answer.served for page in _served(served, serving.specs)]
    return (*_headline(answer), *versions, line(Span(serving.source, Tone.QUIET)))


def from_status(model: Raw, *, at: datetime, now: datetime) -> Answer:
    """Answer from a Model's status: the version and how sure that is, and no more."""
    key = ModelKey(model["metadata"]["namespace"], model["metadata"]["name"])
    intervals: Sequence[Mapping[str, Any]] = model.get("status", {}).get("serving", ())
    found = next((i for i in intervals if _covers(i, at)), None)
    if at > now:
        return _unknown(key, at, "NotYet", "That moment has not come yet.")
    if found is not None:
        version = found["version"]
        sentence = f"Version {version} was in Production from {found['from']}"
        sentence += f" to {found['to']}." if found.get("to") else " on."
        return Answer(
            key=key,
            at=timestamp(at),
            certainty=Certainty(found["certainty"]),
            code="InProduction",
            sentence=sentence,
            served=(_by_status(found),),
        )
    if not intervals:
        return _unknown(key, at, "NothingShown", "Status shows no version that ever served.")
    if at < moment(intervals[0]["from"]):
        more = " It keeps the last 50 only." if len(intervals) >= _INTERVALS_SHOWN else ""
        sentence = f"Status shows what served since {intervals[0]['from']}.{more}"
        return _unknown(key, at, "BeforeWhatIsShown", sentence)
    return Answer(
        key=key,
        at=timestamp(at),
        certainty=Certainty.EXACT,
        code="NothingInProduction",
        sentence="No version was in Production.",
    )


def _headline(answer: Answer) -> Page:
    certainty = Span(answer.certainty.value, _TONES[answer.certainty])
    shown = line(f"{answer.key.name} at {answer.at}: ", *_what(answer, certainty))
    return (shown, line(answer.sentence))


def _what(answer: Answer, certainty: Span) -> Sequence[Span | str]:
    numbers = " and ".join(str(served.version) for served in answer.served)
    if not numbers and answer.certainty is Certainty.UNKNOWN:
        return (certainty,)
    several = "s" if len(answer.served) > 1 else ""
    what = f"version{several} {numbers}" if numbers else "nothing"
    return (Span(what, Tone.STRONG), " (", certainty, ")")


def _served(served: Served, specs: Mapping[int, Mapping[str, Any]]) -> Page:
    spec = specs.get(served.version)
    rows: list[Row] = [
        ("artifact", served.artifact_uri),
        ("digest", served.artifact_digest),
        ("rolled out" if served.is_rolling_out else "in production", _span_of(served)),
        ("registered by", served.registered_by),
        ("asked for by", _quoted(served.requested_by, served.reason)),
        *(("approved by", _approval(approval)) for approval in served.approvals),
    ]
    if spec is not None:
        trainers = ", ".join(person["name"] for person in spec.get("trainedBy", ()))
        rows += [("trained by", trainers)]
        rows += [("made from", " ".join(map(_text, row)).rstrip()) for row in origin_rows(spec)]
    rows += [("gate result", f"{name} {digest}") for name, digest in served.gates.items()]
    rows += [("records", ", ".join(map(str, served.indices)))]
    title = f"version {served.version}" + (f" ({served.label})" if served.label else "")
    known = [row for row in rows if row[1]]
    return (line(Span(title, Tone.STRONG)), *aligned(known, indent=2, gap=2))


def _span_of(served: Served) -> str:
    if not served.since:
        return ""
    return f"{served.since} to {served.until or 'now'}"


def _approval(approval: Approval) -> str:
    as_what = " and ".join(approval.roles) or "neither owner nor reviewer"
    who = f"{approval.by} as {as_what}, record {approval.index}"
    return _quoted(who, approval.rationale)


def _quoted(who: str, why: str) -> str:
    return f'{who}: "{why}"' if who and why else who


def _text(cell: Span | str) -> str:
    return cell if isinstance(cell, str) else cell.text


def _by_status(interval: Mapping[str, Any]) -> Served:
    return Served(
        version=interval["version"],
        label="",
        artifact_uri="",
        artifact_digest="",
        subject="",
        registered_by="",
        since=interval["from"],
        until=interval.get("to", ""),
        indices=(interval["ledgerIndex"],),
    )


def _unknown(key: ModelKey, at: datetime, code: str, sentence: str) -> Answer:
    return Answer(
        key=key, at=timestamp(at), certainty=Certainty.UNKNOWN, code=code, sentence=sentence
    )


def _covers(interval: Mapping[str, Any], at: datetime) -> bool:
    end = interval.get("to")
    return moment(interval["from"]) <= at and (not end or at < moment(end))
