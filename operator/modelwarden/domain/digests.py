"""What a digest is taken over: a file, a folder, a version, a policy, an attempt."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from modelwarden.domain.canonical import digest_of

ALGORITHM = "sha256"
LONGEST_NAME = 1024
LONGEST_SEGMENT = 255

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
# Stamped by admission or free to change later: what a version is does not hang on them.
_NOT_THE_SUBJECT = frozenset({"registeredBy", "notesBy", "notes"})


def is_digest(text: str) -> bool:
    """Say whether a text is a digest: `sha256:` and 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


def file_digest(chunks: Iterable[bytes]) -> str:
    """Name a file by the SHA-256 of its bytes."""
    return f"{ALGORITHM}:{_hex(chunks)}"


def folder_digest(files: Iterable[tuple[str, Iterable[bytes]]]) -> str:
    """Name a folder by its files, given in any order and read one after the other.

    The digest is what `find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum |
    sha256sum` prints inside the folder. Raises ValueError for a folder without files, a name given
    twice and a name with which that pipeline, or a file system, would do something else.
    """
    lines: dict[bytes, bytes] = {}
    for name, chunks in files:
        if problem := name_problem(name):
            raise ValueError(problem)
        key = name.encode()
        if key in lines:
            raise ValueError(f"the folder has two files named {name!r}")
        lines[key] = _hex(chunks).encode() + b"  " + key + b"\n"
    if not lines:
        raise ValueError("the folder has no files")
    return file_digest(lines[key] for key in sorted(lines))


def name_problem(name: str) -> str | None:
    """Say in a sentence why a file of a folder must not have this name; None if it may.

    A name is the path below the folder, with `/` between its parts.
    """
    parts = name.split("/")
    if not name or "" in parts:
        return f"the name {name!r} has an empty part, or is no path below the folder"
    if "." in parts or ".." in parts:
        return f"the name {name!r} points somewhere else than below the folder"
    # sha256sum writes such names in another form, and a terminal may obey them.
    if "\\" in name or any(unicodedata.category(character) == "Cc" for character in name):
        return f"the name {name!r} has a backslash or a control character in it"
    # sha256sum would take it for an option, or for its own standard input.
    if name.startswith("-"):
        return f"the name {name!r} begins with a hyphen"
    return _encoding_problem(name, parts)


def subject_digest(spec: Mapping[str, Any]) -> str:
    """Name what a ModelVersion is: its stored spec without stamped fields and notes.

    Raises ValueError for a float: the API has none, so this is not what the cluster stored.
    """
    return digest_of({name: value for name, value in spec.items() if name not in _NOT_THE_SUBJECT})


def policy_digest(spec: Mapping[str, Any]) -> str:
    """Name what a ModelPolicy demands: its stored spec."""
    return digest_of(spec)


def transition_digest(spec: Mapping[str, Any]) -> str:
    """Name what a ModelTransition froze: its stored spec."""
    return digest_of(spec)


def _encoding_problem(name: str, parts: list[str]) -> str | None:
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return f"the name {name!r} is not UTF-8 text"
    if max(sizes) > LONGEST_SEGMENT or sum(sizes) + len(parts) > LONGEST_NAME:
        return f"a name is longer than {LONGEST_NAME} bytes, or a part of it than {LONGEST_SEGMENT}"
    return None


def _hex(chunks: Iterable[bytes]) -> str:
    digest = hashlib.new(ALGORITHM)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
