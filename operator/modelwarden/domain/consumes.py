"""What a workload says that it uses, in an annotation that its owner writes.

    modelwarden.io/consumes: fraud-detector@production, risk/churn:3

A comma between them, each is `[namespace/]model:number` or `[namespace/]model@which`, where which
is production, staging, champion, latest, v<number> or an alias of the Model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modelwarden.domain.aliases import DERIVED, derived_aliases
from modelwarden.domain.state import ModelState
from modelwarden.domain.verdicts import Verdict, deny

MOST = 32
_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_WHICH = r":[1-9][0-9]{0,5}|@[a-z][a-z0-9_-]{0,39}"
# Read by Python here, and by the API server's CEL where somebody writes it.
ONE = rf"({_NAME}/)?{_NAME}({_WHICH})"
ALL = rf"^\s*{ONE}\s*(,\s*{ONE}\s*)*$"

_ONE = re.compile(rf"(?:(?P<namespace>{_NAME})/)?(?P<model>{_NAME})(?P<which>{_WHICH})", re.ASCII)
_NUMBER = re.compile(r"(?::|@v)([1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True)
class Consumed:
    """One version that a workload uses: by number, or by a name that moves on."""

    namespace: str
    model: str
    number: int | None = None
    name: str = ""


def parse(text: str, *, namespace: str) -> tuple[tuple[Consumed, ...], tuple[Verdict, ...]]:
    """Read the annotation of a workload of a namespace: what it uses, and what is wrong with it.

    One entry that cannot be read does not hide the others.
    """
    items = [item.strip() for item in text.split(",")]
    read = [_one(item, namespace) for item in items[:MOST]]
    problems = [found for found in read if isinstance(found, Verdict)]
    if len(items) > MOST:
        problems.append(_not_understood(f"It has {len(items)} entries; {MOST} are read."))
    return tuple(found for found in read if isinstance(found, Consumed)), tuple(problems)


def version_meant(
    consumed: Consumed, state: ModelState, *, aliases: Mapping[str, int]
) -> int | None:
    """Say which version is used now, from the ledger; None where there is none of that name."""
    if consumed.number is not None:
        return consumed.number
    if consumed.name in DERIVED:
        return derived_aliases(state).get(consumed.name)
    return aliases.get(consumed.name)


def _one(item: str, namespace: str) -> Consumed | Verdict:
    found = _ONE.fullmatch(item)
    if found is None:
        return _not_understood(f"{item[:100]!r} names no version of a model.")
    numbered = _NUMBER.fullmatch(found["which"])
    return Consumed(
        namespace=found["namespace"] or namespace,
        model=found["model"],
        number=int(numbered[1]) if numbered else None,
        name="" if numbered else found["which"][1:],
    )


def _not_understood(sentence: str) -> Verdict:
    return deny(
        "ConsumesNotUnderstood",
        sentence,
        "Write <model>@production, <model>@staging, <model>:3 or <namespace>/<model>:3, with a "
        "comma between two of them.",
    )
