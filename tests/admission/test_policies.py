"""The policies as files: always the same bytes, within what an API server computes."""

import re
from pathlib import Path

import pytest
import yaml

from modelwarden.admission.policies import POLICIES, cel
from modelwarden.admission.policies.shape import Policy
from modelwarden.admission.policies.written import write, written

FOLDER = Path("charts/modelwarden/files/policies")
PLACEHOLDERS = (
    cel.OPERATOR, cel.OPERATOR_NAMESPACE, cel.GATES_NAMESPACE, cel.USERNAME_PREFIX,
)  # fmt: skip
# Measured on 1.36: more is refused when the policy is created.
CHECKS_PER_EXPRESSION = 2
CHECKS_PER_POLICY = 28


def test_the_charts_files_are_what_the_tables_say(tmp_path: Path) -> None:
    write(POLICIES, tmp_path)

    generated = {path.name: path.read_text() for path in tmp_path.glob("*.yaml")}
    assert generated == {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}


def test_writing_leaves_no_policy_behind_that_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").write_text("---\n")

    write(POLICIES[:1], tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["model-rights.yaml"]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_file_is_a_policy_and_its_binding(policy: Policy) -> None:
    text = written(policy)
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "x")

    documents = list(yaml.safe_load_all(text))

    assert "{{" not in text
    assert [document["kind"] for document in documents] == [
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ]
    assert documents[1]["spec"]["policyName"] == f"modelwarden-{policy.name}"
    asked = (documents[0]["spec"]["failurePolicy"], documents[1]["spec"]["validationActions"])
    # Other people's workloads are never refused for what they say of themselves.
    assert asked == (("Ignore", ["Warn"]) if policy.warns else ("Fail", ["Deny", "Audit"]))
    assert policy.warns == (policy.name == "consumes")
    assert all(v["reason"] == "Forbidden" for v in documents[0]["spec"]["validations"])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_what_a_policy_checks_with_the_authorizer_is_within_the_budget(policy: Policy) -> None:
    expressions = [
        *policy.variables.values(),
        *(validation.claim for validation in policy.validations),
    ]
    checks = [len(re.findall(r"\.check\(", expression)) for expression in expressions]

    assert max(checks) <= CHECKS_PER_EXPRESSION
    assert sum(checks) <= CHECKS_PER_POLICY


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_no_sentence_asks_the_authorizer(policy: Policy) -> None:
    """It would compile, and at run time say only that the expression failed."""
    dear = {name for name, text in policy.variables.items() if ".check(" in text}

    for validation in policy.validations:
        named = set(re.findall(r"variables\.(\w+)", validation.sentence_in_cel))
        assert named.isdisjoint(dear)
        assert "authorizer" not in validation.sentence_in_cel
