"""Where every handler leaves what it saw."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from modelwarden.domain.keys import Touch
from modelwarden.domain.state import ModelKey

Add: TypeAlias = Callable[[ModelKey, frozenset[str]], None]


class Inbox:
    """Turns events into keys of Models; what a list may have missed is left to a sweep."""

    def __init__(self, *, add: Add, sweep: Callable[[], None]) -> None:
        self._add = add
        self.sweep = sweep

    def leave(
        self,
        event: Mapping[str, Any],
        touched_by: Callable[[Mapping[str, Any]], Touch | None],
    ) -> None:
        """Add the Model that the event's object is about.

        An event without a type comes from a list: it says nothing of what was deleted before it,
        and most of what it names has not changed. A sweep finds what has.
        """
        if event["type"] is None:
            self.sweep()
            return
        touch = touched_by(event["object"])
        if touch is not None:
            self._add(touch.key, touch.names)
