"""What the cluster shows to use versions, and which versions of a model that are.

A workload may say it in four ways, and the first that it says counts: our labels, on itself, its
pod template or its pods; the annotation of its owner; the artifact's URI in its arguments or
variables; a selector of our labels, and a route that leads to one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.consumes import Consumed, version_meant
from modelwarden.domain.state import ModelKey, ModelState


class Place(NamedTuple):
    """One object of the cluster."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something that may use versions, and all that it says about which.

    `labelled` holds models of its own namespace, each with a number. `maker` is what made it, where
    something did. `leads_to` are the Services of a route.
    """

    place: Place
    maker: Place | None = None
    labelled: frozenset[tuple[str, int]] = frozenset()
    consumes: tuple[Consumed, ...] = ()
    uris: tuple[str, ...] = ()
    leads_to: tuple[Place, ...] = ()
    detail: str = ""
    ready: int | None = None


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Everything that was found in the cluster, by what it says."""

    by_label: Mapping[ModelKey, tuple[Use, ...]] = field(default_factory=dict)
    by_annotation: Mapping[ModelKey, tuple[Use, ...]] = field(default_factory=dict)
    by_uri: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    routes: Mapping[Place, tuple[Use, ...]] = field(default_factory=dict)

    def with_labelled(self, key: ModelKey, now: Iterable[Use], *, kinds: Set[str]) -> Self:
        """Put what of some kinds carries a model's label now in the place of what did before."""
        kept = (use for use in self.by_label.get(key, ()) if use.place.kind not in kinds)
        return replace(self, by_label={**self.by_label, key: (*kept, *now)})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A consumer that a Model's owner wrote down, for the cluster cannot see it."""

    name: str
    kind: str
    contact: str = ""
    uri: str = ""


def uses(found: Iterable[Use]) -> Uses:
    """Put what was found in order, so that each model finds its own."""
    labelled: dict[ModelKey, list[Use]] = defaultdict(list)
    annotated: dict[ModelKey, list[Use]] = defaultdict(list)
    reading: dict[str, list[Use]] = defaultdict(list)
    routes: dict[Place, list[Use]] = defaultdict(list)
    for use in found:
        for model in {model for model, _ in use.labelled}:
            labelled[ModelKey(use.place.namespace, model)].append(use)
        for key in {ModelKey(one.namespace, one.model) for one in use.consumes}:
            annotated[key].append(use)
        for part in {part for uri in use.uris for part in _places(uri)}:
            reading[part].append(use)
        for service in use.leads_to:
            routes[service].append(use)
    return Uses(
        by_label={key: tuple(each) for key, each in labelled.items()},
        by_annotation={key: tuple(each) for key, each in annotated.items()},
        by_uri={uri: tuple(each) for uri, each in reading.items()},
        routes={place: tuple(each) for place, each in routes.items()},
    )


def consumers_found(
    key: ModelKey,
    found: Uses,
    *,
    state: ModelState,
    aliases: Mapping[str, int],
    declared: Iterable[Declared] = (),
) -> Consumers:
    """Say which versions of a model something uses, and what; each thing once for a version."""
    seen: dict[int, dict[Place, tuple[Use, Consumer]]] = defaultdict(dict)
    for number, use, consumer in _seen(key, found, state=state, aliases=aliases):
        seen[number].setdefault(use.place, (use, consumer))
    consumers = {
        number: tuple(sorted(consumer for use, consumer in each.values() if use.maker not in each))
        for number, each in seen.items()
    }
    if state.production is not None:
        own = tuple(sorted(_declared(key, one) for one in declared))
        if own:
            consumers[state.production] = (*consumers.get(state.production, ()), *own)
    return consumers


def _seen(
    key: ModelKey, found: Uses, *, state: ModelState, aliases: Mapping[str, int]
) -> Iterator[tuple[int, Use, Consumer]]:
    """List what is said, in the order in which it counts."""
    for use in found.by_label.get(key, ()):
        for number in _numbers(use, key):
            selects = use.place.kind == "Service"
            yield number, use, _consumer(use, How.SELECTOR if selects else How.LABEL)
    for use in found.by_annotation.get(key, ()):
        for one in use.consumes:
            meant = None
            if (one.namespace, one.model) == key:
                meant = version_meant(one, state, aliases=aliases)
            if meant is not None:
                yield meant, use, _consumer(use, How.ANNOTATION, one.name and f"@{one.name}")
    for number, version in state.versions.items() if found.by_uri else ():
        for use in found.by_uri.get(version.artifact_uri, ()):
            yield number, use, _consumer(use, How.ARTIFACT_URI)
    for service in found.by_label.get(key, ()) if found.routes else ():
        for route in found.routes.get(service.place, ()):
            for number in _numbers(service, key):
                led = f"leads to Service {service.place.name}"
                yield number, route, _consumer(route, How.SELECTOR, led)


def _numbers(use: Use, key: ModelKey) -> list[int]:
    return sorted(number for model, number in use.labelled if model == key.name)


def _consumer(use: Use, how: How, detail: str = "") -> Consumer:
    told = ", ".join(filter(None, (detail, use.detail)))
    return Consumer(*use.place, how=how, detail=told, ready=use.ready)


def _declared(key: ModelKey, one: Declared) -> Consumer:
    detail = ", ".join(filter(None, (one.uri, one.contact)))
    return Consumer(one.kind, key.namespace, one.name, how=How.DECLARED, detail=detail)


def _places(uri: str) -> Iterator[str]:
    """Name the place of a URI and every folder around it: reading a part is using the whole."""
    yield uri
    scheme, separator, path = uri.partition("://")
    parts = path.rstrip("/").split("/")
    for count in range(1, len(parts)):
        yield f"{scheme}{separator}{'/'.join(parts[:count])}/"
