"""The rules that are generated say what they are meant to."""

import pytest

from modelwarden.resources.model_version import ModelVersion, ModelVersionSpec
from modelwarden.resources.rules import (
    Refusal,
    Rule,
    all_or_none_of,
    any_of,
    at_most_one_of,
    exactly_one_of,
    excludes,
    immutable_fields,
    requires,
    unique,
)

SENTENCE = "Say it otherwise."
COUNT = "(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0)"


@pytest.mark.parametrize(
    ("rule", "expression"),
    [
        (exactly_one_of("a", "b", message=SENTENCE), f"{COUNT} == 1"),
        (at_most_one_of("a", "b", message=SENTENCE), f"{COUNT} <= 1"),
        (any_of("a", "b", message=SENTENCE), "has(self.a) || has(self.b)"),
        (
            all_or_none_of("a", "b", "c", message=SENTENCE),
            "has(self.a) == has(self.b) && has(self.a) == has(self.c)",
        ),
        (requires("a", "b", "c", message=SENTENCE), "!has(self.a) || (has(self.b) && has(self.c))"),
        (
            excludes("a", "b", "c", message=SENTENCE),
            "!has(self.a) || (!has(self.b) && !has(self.c))",
        ),
        (
            unique("list", by="key", message=SENTENCE),
            "self.list.all(one, self.list.exists_one(other, other.key == one.key))",
        ),
        # A word of CEL is no field of its own name there.
        (requires("namespace", "a", message=SENTENCE), "!has(self.__namespace__) || (has(self.a))"),
    ],
)
def test_a_rule_is_written_in_cel(rule: Rule, expression: str) -> None:
    assert (rule.expression, rule.message) == (expression, SENTENCE)


def test_a_field_that_comes_or_goes_is_a_change_too() -> None:
    (rule,) = immutable_fields(["label"], of="spec", message="{field} never changes")

    assert rule == Rule(
        "has(self.spec.label) == has(oldSelf.spec.label)"
        " && (!has(self.spec.label) || self.spec.label == oldSelf.spec.label)",
        "spec.label never changes",
        Refusal.FORBIDDEN,
        field=".spec.label",
    )


def test_every_field_of_a_version_but_its_notes_is_kept() -> None:
    kept = {rule.field for rule in ModelVersion.RULES}

    fields = {f".spec.{field}" for field in ModelVersionSpec.field_names()}
    assert fields - kept == {".spec.notes", ".spec.notesBy"}
