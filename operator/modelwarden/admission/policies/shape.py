"""A ValidatingAdmissionPolicy with its one binding, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwarden.domain.labels import GROUP, VERSION

API = "admissionregistration.k8s.io/v1"


@dataclass(frozen=True, kw_only=True)
class Match:
    """Requests that a policy looks at."""

    resources: tuple[str, ...]
    operations: tuple[str, ...] = ("CREATE", "UPDATE")
    group: str = GROUP
    version: str = VERSION

    def to_json(self) -> dict[str, Any]:
        """Write the rule of `matchConstraints`."""
        return {
            "apiGroups": [self.group],
            "apiVersions": [self.version],
            "operations": list(self.operations),
            "resources": list(self.resources),
        }


@dataclass(frozen=True, kw_only=True)
class Validation:
    """A claim in CEL; the sentence is given as text or, to name who and what, in CEL."""

    claim: str
    sentence: str = ""
    sentence_in_cel: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the validation; without a reason a refusal would be a 422."""
        said = {"messageExpression": self.sentence_in_cel} if self.sentence_in_cel else {}
        said |= {"message": self.sentence} if self.sentence else {}
        return {"expression": self.claim, **said, "reason": "Forbidden"}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What must hold for some requests, everywhere or in one namespace.

    One that only warns lets the request pass, whatever it says and even where it cannot be asked.
    """

    name: str
    rule: str
    matches: tuple[Match, ...]
    validations: tuple[Validation, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    warns: bool = False

    def to_documents(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Write the policy and its binding; refusals are denied and annotated in the audit log."""
        return self._policy(), self._binding()

    def _policy(self) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "failurePolicy": "Ignore" if self.warns else "Fail",
            "matchConstraints": {"resourceRules": [match.to_json() for match in self.matches]},
            "matchConditions": _named(self.conditions),
            "variables": _named(self.variables),
            "validations": [validation.to_json() for validation in self.validations],
        }
        return {
            "apiVersion": API,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": f"modelwarden-{self.name}"},
            "spec": {key: value for key, value in spec.items() if value},
        }

    def _binding(self) -> dict[str, Any]:
        name = f"modelwarden-{self.name}"
        actions = ["Warn"] if self.warns else ["Deny", "Audit"]
        spec: dict[str, Any] = {"policyName": name, "validationActions": actions}
        if self.namespace:
            labels = {"kubernetes.io/metadata.name": self.namespace}
            spec["matchResources"] = {"namespaceSelector": {"matchLabels": labels}}
        return {
            "apiVersion": API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": spec,
        }


def _named(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "expression": text} for name, text in expressions.items()]
