"""The CEL rules: what the API server itself refuses, with no process of ours running.

A rule sits beside the fields it judges. The ones that are long, shared or generated are made here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_WORDS_OF_CEL = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"}
    | {"if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"}
)


class Refusal(StrEnum):
    """What kind of mistake a rule reports; with FieldValueDuplicate nobody sees the sentence."""

    INVALID = "FieldValueInvalid"
    FORBIDDEN = "FieldValueForbidden"
    REQUIRED = "FieldValueRequired"


@dataclass(frozen=True)
class Rule:
    """A CEL expression that must be true, and the sentence for whoever made it false."""

    expression: str
    message: str
    reason: Refusal = Refusal.INVALID
    field: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the rule as an item of `x-kubernetes-validations`."""
        written = {"rule": self.expression, "message": self.message, "reason": self.reason.value}
        return written | ({"fieldPath": self.field} if self.field else {})


def exactly_one_of(*fields: str, message: str) -> Rule:
    """Require one field of several, and no second one."""
    return Rule(f"{_count(fields)} == 1", message)


def at_most_one_of(*fields: str, message: str) -> Rule:
    """Refuse two fields of several."""
    return Rule(f"{_count(fields)} <= 1", message)


def any_of(*fields: str, message: str) -> Rule:
    """Require at least one field of several."""
    return Rule(" || ".join(map(_has, fields)), message, Refusal.REQUIRED)


def all_or_none_of(*fields: str, message: str) -> Rule:
    """Refuse some fields of several without the others."""
    first, *others = map(_has, fields)
    return Rule(" && ".join(f"{first} == {other}" for other in others), message, Refusal.REQUIRED)


def requires(field: str, *needed: str, message: str) -> Rule:
    """Refuse a field without the ones that it needs."""
    needs = " && ".join(map(_has, needed))
    return Rule(f"!{_has(field)} || ({needs})", message, Refusal.REQUIRED)


def excludes(field: str, *others: str, message: str) -> Rule:
    """Refuse a field together with the ones that contradict it."""
    absent = " && ".join(f"!{_has(other)}" for other in others)
    return Rule(f"!{_has(field)} || ({absent})", message, Refusal.FORBIDDEN)


def unique(field: str, *, by: str, message: str, optional: bool = False) -> Rule:
    """Refuse a list in which two entries have the same key (where a keyed list would not do)."""
    once = f"self.{field}.all(one, self.{field}.exists_one(other, other.{by} == one.{by}))"
    guarded = f"!has(self.{field}) || {once}" if optional else once
    return Rule(guarded, message, field=f".{field}")


def immutable(*, message: str) -> Rule:
    """Refuse every change of what the rule stands on."""
    return Rule("self == oldSelf", message, Refusal.FORBIDDEN)


def immutable_fields(fields: Iterable[str], *, of: str, message: str) -> tuple[Rule, ...]:
    """Refuse adding, removing and changing each field of a part, one rule per field.

    A rule that stands on an optional field is skipped when the field comes or goes; so these stand
    on the object. `message` may use `{field}`.
    """
    return tuple(
        Rule(
            f"has(self.{of}.{field}) == has(oldSelf.{of}.{field})"
            f" && (!has(self.{of}.{field}) || self.{of}.{field} == oldSelf.{of}.{field})",
            message.format(field=f"{of}.{field}"),
            Refusal.FORBIDDEN,
            field=f".{of}.{field}",
        )
        for field in fields
    )


def nowhere_twice() -> tuple[Rule, ...]:
    """Refuse a version in two places of `stages`, but for staging and production together."""
    message = "a version stands in one place only, but for staging and production together"
    pairs = (
        ("archived", "registered"),
        ("staging", "archived"),
        ("staging", "registered"),
    )
    lists = tuple(
        Rule(
            f"!has(self.{one}) || !has(self.{other})"
            f" || !self.{one}.exists(a, self.{other}.exists(b, a.version == b.version))",
            f"{message}: {one} and {other} name the same version",
        )
        for one, other in pairs
    )
    production = tuple(
        Rule(
            f"!has(self.production) || !has(self.{other})"
            f" || !self.{other}.exists(a, a.version == self.production.version)",
            f"{message}: production and {other} name the same version",
        )
        for other in ("archived", "registered")
    )
    return (*lists, *production)


# Only an edit of the spec is judged: the operator's own write of status must never be refused,
# whatever the spec has come to look like. What is walked through is what the old spec named, for a
# version that automation put into Staging is named nowhere.
NO_SILENT_REMOVAL = (
    Rule(
        "self.spec == oldSelf.spec || !has(oldSelf.spec.stages)"
        " || !has(oldSelf.status) || !has(oldSelf.status.stages)"
        " || !has(oldSelf.spec.stages.production) || !has(oldSelf.status.stages.production)"
        " || oldSelf.status.stages.production.version != oldSelf.spec.stages.production.version"
        " || (has(self.spec.stages) && (has(self.spec.stages.production)"
        " || (has(self.spec.stages.staging) && self.spec.stages.staging.exists(n,"
        " n.version == oldSelf.spec.stages.production.version))"
        " || (has(self.spec.stages.archived) && self.spec.stages.archived.exists(n,"
        " n.version == oldSelf.spec.stages.production.version))"
        " || (has(self.spec.stages.registered) && self.spec.stages.registered.exists(n,"
        " n.version == oldSelf.spec.stages.production.version))))",
        "the version in Production must be named somewhere: write where it goes"
        " (archived, registered or staging)",
        Refusal.FORBIDDEN,
        field=".spec.stages",
    ),
    Rule(
        "self.spec == oldSelf.spec || !has(oldSelf.spec.stages)"
        " || !has(oldSelf.status) || !has(oldSelf.status.stages)"
        " || !has(oldSelf.spec.stages.staging) || !has(oldSelf.status.stages.staging)"
        " || oldSelf.spec.stages.staging.all(e,"
        " !oldSelf.status.stages.staging.exists(v, v == e.version)"
        " || (has(self.spec.stages) && ((has(self.spec.stages.production)"
        " && self.spec.stages.production.version == e.version)"
        " || (has(self.spec.stages.staging)"
        " && self.spec.stages.staging.exists(n, n.version == e.version))"
        " || (has(self.spec.stages.archived)"
        " && self.spec.stages.archived.exists(n, n.version == e.version))"
        " || (has(self.spec.stages.registered)"
        " && self.spec.stages.registered.exists(n, n.version == e.version)))))",
        "a version in Staging must be named somewhere: write where it goes"
        " (registered, archived or production)",
        Refusal.FORBIDDEN,
        field=".spec.stages",
    ),
)


def _count(fields: Iterable[str]) -> str:
    return " + ".join(f"({_has(field)} ? 1 : 0)" for field in fields)


def _has(field: str) -> str:
    # CEL has words of its own; the API server writes a field of such a name like this.
    return f"has(self.__{field}__)" if field in _WORDS_OF_CEL else f"has(self.{field})"
