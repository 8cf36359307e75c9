"""What is remembered of a ledger outside of it, so that rewriting or cutting it is noticed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from modelwarden.domain import labels
from modelwarden.errors import MisconfiguredError

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """The origin, the number of records, the newest head's digest and the public key."""

    origin: str
    size: int
    head: str
    key: str

    def to_annotations(self) -> dict[str, str]:
        """Write the anchor as annotations of the Lease."""
        return {
            labels.LEDGER_ORIGIN: self.origin,
            labels.LEDGER_SIZE: str(self.size),
            labels.LEDGER_HEAD: self.head,
            labels.LEDGER_KEY: self.key,
        }

    @classmethod
    def from_annotations(cls, annotations: Mapping[str, str]) -> Self | None:
        """Read the anchor; None if there is none, MisconfiguredError for half of one.

        Half an anchor is never taken for none: with none, an empty store would begin anew.
        """
        found = {name: annotations[name] for name in _NAMES if annotations.get(name)}
        if not found:
            return None
        size = found.get(labels.LEDGER_SIZE, "")
        if len(found) != len(_NAMES) or not (size.isascii() and size.isdecimal()):
            raise MisconfiguredError(
                "The Lease's annotations hold half an anchor of the ledger: restore them."
            )
        return cls(
            origin=found[labels.LEDGER_ORIGIN],
            size=int(size),
            head=found[labels.LEDGER_HEAD],
            key=found[labels.LEDGER_KEY],
        )

    def to_json(self) -> dict[str, Any]:
        """Write the anchor as the read-only endpoint gives it."""
        return {
            "format": FORMAT,
            "origin": self.origin,
            "size": self.size,
            "head": self.head,
            "publicKey": self.key,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the endpoint's answer; KeyError or ValueError if it is none."""
        if data["format"] != FORMAT or type(data["size"]) is not int:
            raise ValueError("not an anchor of format 1")
        return cls(
            origin=str(data["origin"]),
            size=data["size"],
            head=str(data["head"]),
            key=str(data["publicKey"]),
        )


_NAMES = (labels.LEDGER_ORIGIN, labels.LEDGER_SIZE, labels.LEDGER_HEAD, labels.LEDGER_KEY)
