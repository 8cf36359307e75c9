"""Frozen mappings that are cheap to change: the changed one shares all but one small page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# So many keys lie on a page: what is copied when one of them is put.
PAGE = 32


@dataclass(frozen=True, eq=False, repr=False)
class Keyed(Mapping[K, V], Generic[K, V]):
    """A mapping that is never altered; `put` answers the one that has the value too.

    It is in the order in which keys were first put. Putting costs the same in a mapping of
    thousands as in one of ten: the keys are spread over pages by their hash, only the page of the
    key is copied, and the number of pages doubles as they fill.
    """

    pages: tuple[Mapping[K, tuple[int, V]], ...] = ({},)
    size: int = 0

    @classmethod
    def of(cls, items: Mapping[K, V]) -> Self:
        """Build one from any mapping."""
        built = cls()
        for key, value in items.items():
            built = built.put(key, value)
        return built

    def put(self, key: K, value: V) -> Self:
        """Answer the mapping in which the key has the value; a known key keeps its place."""
        at = hash(key) % len(self.pages)
        known = self.pages[at].get(key)
        page = {**self.pages[at], key: (self.size if known is None else known[0], value)}
        pages = (*self.pages[:at], page, *self.pages[at + 1 :])
        size = self.size + (known is None)
        if size > len(pages) * PAGE:
            pages = _spread_over_twice_as_many(pages)
        return replace(self, pages=pages, size=size)

    def __getitem__(self, key: K) -> V:
        return self.pages[hash(key) % len(self.pages)][key][1]

    def __iter__(self) -> Iterator[K]:
        placed = [(entry[0], key) for page in self.pages for key, entry in page.items()]
        placed.sort(key=lambda entry: entry[0])
        return (key for _, key in placed)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Grouped(Keyed[K, V]):
    """A mapping that also knows, without a search, which keys are in each group.

    Subclasses say in `groups` what a value belongs to; a group is meant to stay small or to change
    seldom, for a change of it copies its keys.
    """

    members: Mapping[str, tuple[K, ...]] = field(default_factory=dict)

    @staticmethod
    def groups(value: V) -> frozenset[str]:
        """Name the groups of a value."""
        raise NotImplementedError

    def group(self, name: str) -> tuple[K, ...]:
        """List the keys in a group, in the order in which they came into it."""
        return self.members.get(name, ())

    def put(self, key: K, value: V) -> Self:
        """Answer the mapping in which the key has the value, in the groups of the value."""
        before = self.groups(self[key]) if key in self else frozenset()
        now = self.groups(value)
        after = super().put(key, value)
        if before == now:
            return after
        members = dict(self.members)
        for name in before - now:
            members[name] = tuple(other for other in members[name] if other != key)
        for name in now - before:
            members[name] = (*self.group(name), key)
        return replace(after, members=members)


def _spread_over_twice_as_many(
    pages: tuple[Mapping[K, tuple[int, V]], ...],
) -> tuple[Mapping[K, tuple[int, V]], ...]:
    spread: list[dict[K, tuple[int, V]]] = [{} for _ in range(2 * len(pages))]
    for page in pages:
        for key, entry in page.items():
            spread[hash(key) % len(spread)][key] = entry
    return tuple(spread)
