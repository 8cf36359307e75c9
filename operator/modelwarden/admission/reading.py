"""What admission may ask the API server for: one object by name, and no list."""

from collections.abc import Mapping
from typing import Any, Protocol

from modelwarden.cluster.paths import Resource


class Reader(Protocol):
    """Whatever finds an object, or None."""

    async def find(
        self, resource: Resource, name: str, namespace: str = ""
    ) -> Mapping[str, Any] | None:
        """Read one object."""
        ...
