"""What governs a Model: who may make it again otherwise than it is recorded.

A Model that was deleted and made again goes on with its history. What it governs by must be what is
recorded, or whoever made it otherwise must be somebody who may govern it.
"""

from collections.abc import Mapping
from typing import Any

from modelwarden.domain.authors import AUTOMATION, GOVERNED, SERVING
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.facts import Access, AuthorItem, ModelFacts, Snapshot
from modelwarden.domain.movement import newest_author
from modelwarden.domain.rights import GOVERN, PROMOTE_PRODUCTION, Right
from modelwarden.domain.state import ModelState
from modelwarden.domain.verdicts import Verdict, deny, wait


def governance_differs(snapshot: Snapshot, state: ModelState) -> Verdict | None:
    """Say why a Model that was made again is not the recorded one; None where it is, or may be."""
    model, known = snapshot.model, state.governance
    if model is None or not known.fields or known.uid == model.uid:
        return None
    for part, fields in changed_parts(model, state).items():
        right = _right_over(part, state)
        if right is None:
            continue
        author = author_of(part, model)
        if author is None or not author.by.username:
            return _differs(fields, "nobody is known to have written them", known.by)
        answer = snapshot.access.get(Access(author.by, right, snapshot.key))
        if answer is None:
            return wait("RightNotReviewed", "Whether the Model may be so is not known yet.")
        if not answer:
            lacked = right.lacked_by(
                author.by.username, model=snapshot.key.name, namespace=snapshot.key.namespace
            )
            return _differs(fields, lacked, known.by)
    return None


def access_of_governance(snapshot: Snapshot, state: ModelState) -> frozenset[Access]:
    """List the questions about whoever made a deleted Model again, and made it otherwise."""
    model, known = snapshot.model, state.governance
    if model is None or not known.fields or known.uid == model.uid:
        return frozenset()
    asked = set()
    for part in changed_parts(model, state):
        author, right = author_of(part, model), _right_over(part, state)
        if author is not None and author.by.username and right is not None:
            asked.add(Access(author.by, right, snapshot.key))
    return frozenset(asked)


def author_of(part: str, model: ModelFacts) -> AuthorItem | None:
    """Find who last changed a part; who made the Model without it is in no item of that part."""
    own = newest_author(model.authors, (part,))
    return newest_author(model.authors, (GOVERNED,)) if own is None else own


def digests_of(declared: Mapping[str, Any]) -> dict[str, str]:
    """Name what each field says."""
    return {name: digest_of({name: value}) for name, value in declared.items()}


def _changed_fields(model: ModelFacts, state: ModelState) -> tuple[str, ...]:
    now, known = digests_of(model.declared), state.governance.fields
    return tuple(n for n in sorted({*now, *known}) if now.get(n) != known.get(n))


def changed_parts(model: ModelFacts, state: ModelState) -> dict[str, tuple[str, ...]]:
    """Group the fields that changed by the part that `authors` knows."""
    parts: dict[str, tuple[str, ...]] = {}
    for name in _changed_fields(model, state):
        part = name if name in (SERVING, AUTOMATION) else GOVERNED
        parts[part] = (*parts.get(part, ()), name)
    return parts


def _right_over(part: str, state: ModelState) -> Right | None:
    """Name the right that the same change would take on a Model that was never deleted."""
    if part != SERVING:
        return GOVERN
    return None if state.production is None else PROMOTE_PRODUCTION


def _differs(fields: tuple[str, ...], why: str, by: str) -> Verdict:
    return deny(
        "GovernedDiffers",
        f"The Model was deleted and made again with other {', '.join(fields)} than "
        f"{by or 'somebody'} had set, and {why}.",
        "Write back what was recorded, or have somebody who may govern the Model set it.",
    )
