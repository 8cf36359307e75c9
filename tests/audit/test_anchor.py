import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.audit.anchor import Anchor
from modelwarden.domain import labels
from modelwarden.errors import MisconfiguredError
from tests.audit.builders import ORIGIN, SIGNER, sha256

ANCHOR = Anchor(origin=ORIGIN, size=41, head=sha256(b"head"), key=SIGNER.key.text)
ANNOTATIONS = {
    "modelwarden.io/ledger-origin": ORIGIN,
    "modelwarden.io/ledger-size": "41",
    "modelwarden.io/ledger-head": sha256(b"head"),
    "modelwarden.io/ledger-key": SIGNER.key.text,
}


def test_an_anchor_is_four_annotations() -> None:
    assert ANCHOR.to_annotations() == ANNOTATIONS


@settings(deadline=None)
@given(st.text(min_size=1), st.integers(min_value=0), st.text(min_size=1), st.text(min_size=1))
def test_an_anchor_is_read_as_it_was_written(origin: str, size: int, head: str, key: str) -> None:
    anchor = Anchor(origin=origin, size=size, head=head, key=key)

    assert Anchor.from_annotations({"other": "x", **anchor.to_annotations()}) == anchor
    assert Anchor.from_json(anchor.to_json()) == anchor


def test_a_lease_without_annotations_of_ours_has_no_anchor() -> None:
    assert Anchor.from_annotations({}) is None
    assert Anchor.from_annotations({"other": "x"}) is None


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_half_an_anchor_is_never_taken_for_none(name: str) -> None:
    rest = {key: value for key, value in ANNOTATIONS.items() if key != name}

    with pytest.raises(MisconfiguredError, match="half an anchor"):
        Anchor.from_annotations(rest)
    with pytest.raises(MisconfiguredError, match="half an anchor"):
        Anchor.from_annotations({**ANNOTATIONS, name: ""})
    with pytest.raises(MisconfiguredError, match="half an anchor"):
        Anchor.from_annotations({name: ANNOTATIONS[name]})


@pytest.mark.parametrize("size", ["-1", "4.0", "many", " 4", "\u0664", "1e3", "+4"])
def test_a_size_that_is_no_number_is_half_an_anchor(size: str) -> None:
    with pytest.raises(MisconfiguredError):
        Anchor.from_annotations({**ANNOTATIONS, labels.LEDGER_SIZE: size})


def test_the_endpoint_gives_an_anchor_with_its_format() -> None:
    assert ANCHOR.to_json() == {
        "format": 1,
        "origin": ORIGIN,
        "size": 41,
        "head": sha256(b"head"),
        "publicKey": SIGNER.key.text,
    }


@pytest.mark.parametrize("change", [{"format": 2}, {"size": "41"}, {"size": True}])
def test_an_answer_of_another_format_is_no_anchor(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="format 1"):
        Anchor.from_json({**ANCHOR.to_json(), **change})


def test_an_answer_without_a_head_is_no_anchor() -> None:
    with pytest.raises(KeyError):
        Anchor.from_json({"format": 1, "size": 1})
