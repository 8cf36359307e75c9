"""Separation of duties: who made a version does not decide about it.

It is about people, not logins: an administrator's login of the trainer is the trainer.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from modelwarden.domain.identity import Identity, canonical, is_service_account
from modelwarden.domain.verdicts import Verdict, deny


class Reason(StrEnum):
    """Why a person is excluded from deciding."""

    TRAINER = "Trainer"
    REGISTRANT = "Registrant"
    POLICY_EDITOR = "PolicyEditor"


# Taking back one's own vote and having a gate tried again decide nothing.
DECIDES = frozenset({"Approve", "Reject", "Override", "Review"})

_DID: Mapping[str, str] = {
    Reason.TRAINER: "trained",
    Reason.REGISTRANT: "registered",
    Reason.POLICY_EDITOR: "changed the policy of",
}

_EXCLUDED: Mapping[str, str] = {
    Reason.TRAINER: "TrainerExcluded",
    Reason.REGISTRANT: "RegistrantExcluded",
    Reason.POLICY_EDITOR: "PolicyEditorExcluded",
}


def excluded_people(
    trained_by: Iterable[str],
    registered_by: str,
    *,
    excludes: Collection[str],
    identity: Identity,
) -> dict[str, Reason]:
    """Name every person who may not decide, with the reason; training weighs more.

    Takes logins (empty: unknown) and the reasons that a policy excludes for. Service accounts are
    left out: they decide nothing anyway, and whether a person is known at all is another rule.
    """
    registrants = {registered_by} if Reason.REGISTRANT in excludes else set()
    trainers = set(trained_by) if Reason.TRAINER in excludes else set()
    return {
        canonical(login, identity): reason
        for reason, logins in ((Reason.REGISTRANT, registrants), (Reason.TRAINER, trainers))
        for login in sorted(logins)
        if login and not is_service_account(login)
    }


def vote_refusal(
    voter: str,
    excluded: Mapping[str, str],
    *,
    decision: str,
    model: str,
    version: int,
    identity: Identity,
) -> Verdict | None:
    """Refuse a decision of someone who may never make it; None says only that identity allows it.

    `excluded` maps people to reasons, as an attempt froze them.
    """
    if is_service_account(voter):
        return deny(
            "NotAPerson",
            f"{voter} is a service account, and decisions come from people.",
            "Decide with your own login.",
        )
    reason = _reason_for(voter, excluded, identity)
    if reason is None or decision not in DECIDES:
        return None
    return deny(
        _EXCLUDED.get(reason, "Excluded"),
        f"{_named(voter, identity)} {_DID.get(reason, 'made')} {model} {version} and may "
        f"not {decision.lower()} it.",
        "Ask another owner or reviewer.",
    )


def _reason_for(voter: str, excluded: Mapping[str, str], identity: Identity) -> str | None:
    # Names that were frozen before an alias was configured are resolved again.
    person = canonical(voter, identity)
    reasons = [reason for name, reason in excluded.items() if canonical(name, identity) == person]
    return min(reasons, key=lambda reason: reason != Reason.TRAINER, default=None)


def _named(voter: str, identity: Identity) -> str:
    """Name the voter and, where it is another login, the person behind it."""
    person = canonical(voter, identity)
    alone = canonical(voter, Identity(username_prefix=identity.username_prefix))
    return voter if person == alone else f"{voter}, another login of {person},"
