"""Model: who changed which part is stamped; everything else is the policies' and the schema's."""

import json

from modelwarden.admission.reviews import Answer, Json, Review, stamped_object
from modelwarden.admission.stamps import unstampable
from modelwarden.domain.authors import stamp
from modelwarden.domain.verdicts import Verdict, allow, deny

# etcd takes 1.5 MiB and says no in words that nobody understands; versions and status come on top.
LARGEST = 1_000_000


def stamped(review: Review) -> Answer:
    """Stamp `spec.authors`, or say why this request cannot be stamped."""
    before = (review.old_spec or {}).get("authors")
    try:
        authors = stamp(
            review.old_spec,
            review.spec,
            _stages(review.old),
            caller=review.caller,
            request_id=review.uid,
        )
    except (AttributeError, KeyError, TypeError):
        # The schema is asked after this and says what is wrong. What it lets through unstamped
        # is refused by the policies.
        return Answer(verdict=allow("NotUnderstood", "The schema says what is wrong."))
    refusal = unstampable(review.caller) if authors != before else None
    stamps = {"authors": authors}
    refusal = refusal or _too_large(review, stamped_object(review, stamps))
    if refusal is not None:
        return Answer(verdict=refusal)
    return Answer(verdict=allow("Stamped", "It is known who changed what."), stamps=stamps)


def _stages(stored: Json | None) -> Json | None:
    stages: Json | None = ((stored or {}).get("status") or {}).get("stages")
    return stages


def _too_large(review: Review, stored: Json) -> Verdict | None:
    size = _size(stored)
    # What makes a large Model smaller is welcome.
    if size <= LARGEST or (review.old is not None and size < _size(review.old)):
        return None
    return deny(
        "ModelTooLarge",
        f"The Model would have {size:,} bytes, and {LARGEST:,} is the most.",
        "Remove settled entries from spec.stages, or change it with a login in fewer groups: each "
        "author's groups are kept until the part is changed again.",
    )


def _size(stored: Json) -> int:
    return len(json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode())
