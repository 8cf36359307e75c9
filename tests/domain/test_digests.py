"""A digest means these bytes, or this stored value, and nothing else."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.domain.digests import (
    file_digest,
    folder_digest,
    is_digest,
    name_problem,
    policy_digest,
    subject_digest,
    transition_digest,
)

PINNED = Path(__file__).parents[1] / "data" / "digests"
SHELL = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"


def pinned(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PINNED / f"{name}.yaml").read_text())
    return loaded


def folder(files: dict[str, bytes]) -> str:
    return folder_digest((name, [content]) for name, content in files.items())


def printed_by_the_shell(at: Path) -> str:
    done = subprocess.run(["sh", "-c", SHELL], cwd=at, capture_output=True, check=True, text=True)
    return "sha256:" + done.stdout.split()[0]


def test_a_file_is_named_by_its_bytes_however_they_are_cut() -> None:
    whole = file_digest([b"model"])

    assert whole == "sha256:" + hashlib.sha256(b"model").hexdigest()
    assert file_digest([b"mo", b"", b"del"]) == whole


def test_the_digest_of_a_folder_is_the_pinned_one() -> None:
    example = pinned("folder")

    assert folder({n: text.encode() for n, text in example["files"].items()}) == example["digest"]


def test_the_order_in_which_files_are_read_does_not_matter() -> None:
    files = {"b": b"1", "a/b": b"2", "a.txt": b"3"}

    assert folder(files) == folder(dict(reversed(files.items())))


names = st.from_regex(r"[a-zA-Z0-9 ._+é☃-]{1,9}", fullmatch=True).filter(
    lambda name: name_problem(name) is None
)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.tuples(names, names), st.binary(max_size=40), min_size=1, max_size=8))
def test_the_digest_of_a_folder_is_what_the_shell_prints(
    tmp_path_factory: pytest.TempPathFactory, files: dict[tuple[str, str], bytes]
) -> None:
    at = tmp_path_factory.mktemp("folder")
    for parts, content in files.items():
        path = at.joinpath(*parts)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    assert folder({"/".join(parts): b for parts, b in files.items()}) == printed_by_the_shell(at)


def test_files_are_read_one_after_the_other() -> None:
    open_files: list[str] = []

    def content(name: str) -> Iterator[bytes]:
        open_files.append(name)
        yield b"x"
        open_files.remove(name)

    def files() -> Iterator[tuple[str, Iterator[bytes]]]:
        for name in ("a", "b", "c"):
            assert open_files == []
            yield name, content(name)

    assert is_digest(folder_digest(files()))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a\\b",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x1b[31mb",
        "a\x7fb",
        "-b",
        "-",
        "--help/x",
        "a\udcff",
        "a" * 256,
        "/".join(["abc"] * 300),
    ],
)
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        folder({name: b""})


def test_hidden_files_and_spaces_are_part_of_a_folder() -> None:
    assert [name_problem(name) for name in (".hidden", "a b", "a/-b", "...", "ü")] == [None] * 5


def test_a_folder_without_files_has_no_digest() -> None:
    with pytest.raises(ValueError, match="no files"):
        folder_digest([])


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two files"):
        folder_digest([("a", [b"1"]), ("a", [b"1"])])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sha256:" + "0" * 64, True),
        ("sha256:" + "0" * 63, False),
        ("sha256:" + "A" * 64, False),
        ("sha512:" + "0" * 64, False),
        ("0" * 64, False),
        ("sha256:" + "0" * 64 + "\n", False),
    ],
)
def test_a_digest_is_written_in_one_way(text: str, *, answer: bool) -> None:
    assert is_digest(text) is answer


def test_the_digest_of_a_version_is_the_pinned_one() -> None:
    example = pinned("version")

    assert subject_digest(example["spec"]) == example["digest"]


def test_stamps_and_notes_are_not_part_of_a_version() -> None:
    example = pinned("version")

    assert subject_digest({**example["spec"], **example["unstamped"]}) == example["digest"]


def test_every_other_field_of_a_version_is_part_of_it() -> None:
    example = pinned("version")
    without_one = [
        subject_digest({key: value for key, value in example["spec"].items() if key != name})
        for name in example["spec"]
    ]

    assert len({*without_one, example["digest"]}) == len(example["spec"]) + 1


def test_absent_and_empty_differ() -> None:
    spec = pinned("version")["spec"]

    assert subject_digest(spec) != subject_digest({**spec, "notApplicable": []})


def test_a_float_is_nothing_that_the_cluster_stores() -> None:
    with pytest.raises(ValueError, match="float"):
        subject_digest({"version": 3.0})


def test_the_digest_of_a_policy_is_the_pinned_one() -> None:
    example = pinned("policy")

    assert policy_digest(example["spec"]) == example["digest"]


def test_the_digest_of_an_attempt_is_the_pinned_one() -> None:
    example = pinned("transition")

    assert transition_digest(example["spec"]) == example["digest"]
