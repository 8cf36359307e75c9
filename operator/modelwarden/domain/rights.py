"""Rights in Kubernetes' own terms: verbs on parts of a model that exist only in RBAC."""

from collections.abc import Mapping
from dataclasses import dataclass

from modelwarden.domain.labels import GROUP

LACKS = "{caller} lacks the verb {verbs} on {target} for {model} in {namespace}"


@dataclass(frozen=True, order=True)
class Right:
    """One of some verbs on a resource; any of the verbs is enough.

    An empty name means the model that is edited or decided about; of another resource, all.
    """

    verbs: tuple[str, ...]
    subresource: str = ""
    resource: str = "models"
    group: str = GROUP
    name: str = ""

    @property
    def target(self) -> str:
        """The resource as RBAC writes it: `models/production`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def title(self) -> str:
        """The right in words: `promote or demote on models/staging`."""
        return f"{spoken(self.verbs)} on {self.target}" + (f" {self.name}" if self.name else "")

    def lacked_by(self, caller: str, *, model: str, namespace: str) -> str:
        """Say who lacks what, in the sentence that the policies use too."""
        target = self.target + (f" {self.name}" if self.name else "")
        return LACKS.format(
            caller=caller,
            verbs=spoken(self.verbs),
            target=target,
            model=model,
            namespace=namespace,
        )


PROMOTE_STAGING = Right(("promote",), "staging")
DEMOTE_STAGING = Right(("demote",), "staging")
ANY_STAGING = Right(("promote", "demote"), "staging")
PROMOTE_PRODUCTION = Right(("promote",), "production")
DEMOTE_PRODUCTION = Right(("demote",), "production")
ROLLBACK_PRODUCTION = Right(("rollback",), "production")
ANY_PRODUCTION = Right(("promote", "demote", "rollback"), "production")
PROMOTE_ARCHIVED = Right(("promote",), "archived")
DEMOTE_ARCHIVED = Right(("demote",), "archived")
ANY_ARCHIVED = Right(("promote", "demote"), "archived")
GOVERN = Right(("govern",))
ATTEST = Right(("attest",))

# What a person needs to decide. Retract takes back the caller's own vote only.
DECISION_VERBS: Mapping[str, str] = {
    "Approve": "approve",
    "Reject": "approve",
    "Review": "approve",
    "Retract": "approve",
    "Override": "override",
    "Retry": "promote",
}

# The part of the model whose rights count for a decision about a stage. Registration has no
# rights of its own: who may ask for Staging may have a registration tried again.
DECISION_PARTS: Mapping[str, str] = {
    "Registered": "staging",
    "Staging": "staging",
    "Production": "production",
    "Retiring": "archived",
    "Archived": "archived",
}


def right_to_use(policy: str) -> Right:
    """Naming a ModelPolicy asks for `use` on it, in the model's own namespace."""
    return Right(("use",), resource="modelpolicies", name=policy)


def right_to_patch(deployment: str) -> Right:
    """A serving entry asks for what the operator will do in the caller's name; empty: to all."""
    return Right(("patch",), resource="deployments", group="apps", name=deployment)


def right_to_decide(decision: str, stage: str) -> Right:
    """Name the right behind a decision about an attempt; KeyError for an unknown one."""
    return Right((DECISION_VERBS[decision],), DECISION_PARTS[stage])


def right_to_change_a_policy(policy: str) -> Right:
    """Approving a policy's change is a right on that policy, in the operator's namespace."""
    return Right(("approve",), resource="modelpolicies", name=policy)


def spoken(words: tuple[str, ...]) -> str:
    """Join alternatives as a person says them: `promote, demote or rollback`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
