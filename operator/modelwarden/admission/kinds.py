"""Which kind is answered by whom, when it is to be stamped and when it is to be judged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from modelwarden.admission import model_decisions, model_policies, model_versions, models
from modelwarden.admission.reading import Reader
from modelwarden.admission.reviews import Answer, Review
from modelwarden.domain.installation import Installation
from modelwarden.domain.verdicts import allow, deny
from modelwarden.errors import MalformedObjectError

# There is nothing to write a stamp into; the schema is asked next.
_NO_SPEC = Answer(verdict=allow("NotUnderstood", "The schema says what is wrong."))
_NOT_OURS = Answer(verdict=allow("NotOurs", "There is nothing to say about it."))

Judge: TypeAlias = Callable[[Review], Awaitable[Answer]]

_STAMPED: Mapping[str, Callable[[Review], Answer]] = {
    "Model": models.stamped,
    "ModelVersion": model_versions.stamped,
    "ModelDecision": model_decisions.stamped,
}


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """The answers of one installation; they write nothing, so a dry run is no special case."""

    installation: Installation
    operator: str
    reader: Reader

    async def stamped(self, review: Review) -> Answer:
        """Stamp who did what; of another kind, or by the operator, nothing is stamped."""
        stamp = _STAMPED.get(review.kind)
        if stamp is None or self._is_beyond_us(review):
            return _NOT_OURS
        return stamp(review) if review.has_spec else _NO_SPEC

    async def judged(self, review: Review) -> Answer:
        """Refuse what can never be, with a sentence."""
        if self._is_beyond_us(review):
            return _NOT_OURS
        try:
            return await self._judged(review)
        except MalformedObjectError as error:
            return Answer(verdict=deny("Malformed", f"{error}."))

    async def _judged(self, review: Review) -> Answer:
        match review.kind:
            case "ModelVersion":
                return model_versions.judged(review, self.installation)
            case "ModelDecision":
                identity = self.installation.identity
                return await model_decisions.judged(review, self.reader, identity=identity)
            case "ModelPolicy":
                return model_policies.judged(review)
            case _:
                return _NOT_OURS

    def _is_beyond_us(self, review: Review) -> bool:
        # The configuration leaves these out; this is for the day when somebody edits it.
        return bool(review.subresource) or review.caller.username == self.operator
