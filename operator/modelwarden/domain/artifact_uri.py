"""Where an artifact lies: one strict way to write it, and the stores in which it may lie.

A URI is compared with prefixes and shown to people who approve, so there is one spelling of each
place and nothing that a parser further on could read differently.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from modelwarden.domain.digests import name_problem
from modelwarden.domain.verdicts import Verdict, deny

NOT_UNDERSTOOD = "ArtifactUriNotUnderstood"
STORE_NOT_ALLOWED = "StoreNotAllowed"
LONGEST_KEY = 1024

# Besides letters and digits. Left out: whatever a shell, a URL, a template or the expansion of
# environment variables in a pod gives a meaning.
_PUNCTUATION = frozenset("-._=@+:,~")
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]", re.ASCII)
_CLAIM = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_REGISTRY = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[1-9][0-9]{0,4})?",
    re.ASCII,
)
_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+", re.ASCII)


class Scheme(StrEnum):
    """The kinds of places."""

    S3 = "s3"
    PVC = "pvc"
    OCI = "oci"


@dataclass(frozen=True, kw_only=True)
class ArtifactUri:
    """One place: `root` is the bucket, claim or registry, `path` is what lies below it."""

    scheme: Scheme
    root: str
    path: str

    @property
    def is_folder(self) -> bool:
        """The URI ends in a slash: everything below it is the artifact."""
        return self.path.endswith("/")

    @property
    def text(self) -> str:
        """The one spelling of the place."""
        return f"{self.scheme}://{self.root}/{self.path}"


class HasPrefix(Protocol):
    """A store as the settings or a gate Job know it; `{namespace}` stands in its prefix."""

    @property
    def uri_prefix(self) -> str:
        """What every URI in the store begins with."""
        ...


StoreT = TypeVar("StoreT", bound=HasPrefix)


def parse(text: str) -> ArtifactUri | Verdict:
    """Read the URI of an artifact, or say in a sentence what is wrong with it."""
    scheme_text, separator, rest = text.partition("://")
    if not separator or scheme_text not in set(Scheme):
        return _refused(text, "it must begin with s3://, pvc:// or oci://")
    root, _, path = rest.partition("/")
    uri = ArtifactUri(scheme=Scheme(scheme_text), root=root, path=path)
    problem = _root_problem(uri) or _path_problem(uri)
    return _refused(text, problem) if problem else uri


def store_for(uri: ArtifactUri, *, namespace: str, stores: Iterable[StoreT]) -> StoreT | Verdict:
    """Find the store with the longest prefix that a namespace may take this URI from.

    A prefix ends between two parts of the path, never within one, and something must lie below it.
    No store, no match and a prefix that is itself no URI all mean no.
    """
    matches = [store for store in stores if _is_below(uri, store_prefix(store, namespace))]
    if matches:
        return max(matches, key=lambda store: len(store_prefix(store, namespace)))
    return deny(
        STORE_NOT_ALLOWED,
        f"{uri.text} is in no store that namespace {namespace} may take artifacts from.",
        "Put it below a prefix listed by `kubectl -n modelwarden-system get configmap "
        "modelwarden-stores -o yaml`.",
    )


def store_prefix(store: HasPrefix, namespace: str) -> str:
    """Write the prefix of a store for one namespace; it always ends in a slash."""
    return store.uri_prefix.replace("{namespace}", namespace).rstrip("/") + "/"


def _is_below(uri: ArtifactUri, prefix: str) -> bool:
    # `s3://bucket/` alone is a prefix but no artifact, so it is completed before it is read.
    understood = isinstance(parse(prefix + "x"), ArtifactUri)
    text = uri.text
    return understood and text.startswith(prefix) and text != prefix


def _root_problem(uri: ArtifactUri) -> str | None:
    match uri.scheme:
        case Scheme.S3:
            return _bucket_problem(uri.root)
        case Scheme.PVC:
            is_claim = _CLAIM.fullmatch(uri.root) and ".." not in uri.root
            return None if is_claim else "what follows pvc:// must be the name of a claim"
        case Scheme.OCI:
            is_registry = _REGISTRY.fullmatch(uri.root) and len(uri.root) <= 253
            return None if is_registry else "what follows oci:// must be a registry's host name"


def _bucket_problem(bucket: str) -> str | None:
    if not _BUCKET.fullmatch(bucket) or any(pair in bucket for pair in ("..", ".-", "-.")):
        return "what follows s3:// must be the name of a bucket"
    if _LOOKS_LIKE_AN_ADDRESS.fullmatch(bucket) and "." in bucket:
        return "the name of a bucket must not look like an address"
    return None


def _path_problem(uri: ArtifactUri) -> str | None:
    if not uri.path:
        return "it names a place but nothing in it"
    if uri.scheme is Scheme.OCI:
        return None if _REPOSITORY.fullmatch(uri.path) else "its repository is not well formed"
    if any(not _is_plain(character) for character in uri.path):
        return f"a path is made of letters, digits, slashes and {' '.join(sorted(_PUNCTUATION))}"
    # Fullwidth dots, ligatures and decomposed accents look like other text than they are.
    if unicodedata.normalize("NFKC", uri.path) != uri.path:
        return "its path is not in the normal form of Unicode"
    if len(uri.path.encode()) > LONGEST_KEY:
        return f"its path is longer than {LONGEST_KEY} bytes"
    return name_problem(uri.path.removesuffix("/"))


def _is_plain(character: str) -> bool:
    return character.isalnum() or character == "/" or character in _PUNCTUATION


def _refused(text: str, problem: str) -> Verdict:
    return deny(
        NOT_UNDERSTOOD,
        f"{text!r:.200} does not say where an artifact lies: {problem}.",
        "Write s3://<bucket>/<key> or pvc://<claim>/<path>, with a slash at its end for a folder.",
    )
