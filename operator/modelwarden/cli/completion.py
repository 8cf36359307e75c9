"""What kubectl's completion shows: candidates one per line, then a line `:<directive>`.

kubectl runs `kubectl_complete-model` with the words so far; the last one is to be completed.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntFlag
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_type_hints

import typer
from typer.models import OptionInfo

from modelwarden.cli.completing import Want, Wanted, wanted
from modelwarden.cluster.client import ApiClient, JsonObject, connect
from modelwarden.cluster.paths import MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.aliases import DERIVED
from modelwarden.errors import ModelwardenError

Callback: TypeAlias = Callable[..., Any]
Verbs: TypeAlias = Mapping[str, Callback]

# Whoever presses the tab key does not wait longer.
SECONDS = 3.0


class Directive(IntFlag):
    """What the shell does with the candidates, as kubectl's own library numbers it."""

    FILES = 0
    FAILED = 1
    NO_SPACE = 2
    NO_FILES = 4
    KEEP_ORDER = 32


def completed(words: Sequence[str], app: typer.Typer) -> str:
    """Write the answer for the words so far."""
    place, verbs = wanted(words), verbs_of(app)
    try:
        found, directive = asyncio.run(_candidates(place, verbs))
    except (ModelwardenError, TimeoutError):
        found, directive = [], Directive.FAILED
    lines = [text for text in found if text.startswith(place.prefix)]
    return "\n".join((*lines, f":{directive.value}")) + "\n"


def verbs_of(app: typer.Typer) -> Verbs:
    """List the verbs of an app with their functions; those of a group as `audit verify`."""
    found: dict[str, Callback] = {}
    for info in app.registered_commands:
        if info.name and info.callback:
            found[info.name] = info.callback
    for group in app.registered_groups:
        if group.name and group.typer_instance:
            below = verbs_of(group.typer_instance)
            found |= {f"{group.name} {name}": function for name, function in below.items()}
    return found


async def _candidates(place: Wanted, verbs: Verbs) -> tuple[Iterable[str], Directive]:
    match place.want:
        case Want.FILE:
            return [], Directive.FILES
        case Want.VERB:
            return _next_words(place, verbs), Directive.NO_FILES
        case Want.OPTION:
            return _option_names(place, verbs), Directive.NO_FILES
        case Want.VALUE:
            return _values(place, verbs), Directive.NO_FILES
        case Want.MODEL | Want.VERSION | Want.GATE | Want.REFERENCE:
            async with asyncio.timeout(SECONDS):
                return await _of_the_cluster(place)
        case Want.NOTHING:
            return [], Directive.NO_FILES


def _next_words(place: Wanted, verbs: Verbs) -> Iterable[str]:
    prefix = f"{place.verb} " if place.verb else ""
    words: dict[str, str] = {}
    for name, function in verbs.items():
        if name.startswith(prefix):
            word, *deeper = name.removeprefix(prefix).split()
            words.setdefault(word, "" if deeper else _first_line(function))
    for word, about in words.items():
        yield f"{word}\t{about}".rstrip()


def _option_names(place: Wanted, verbs: Verbs) -> Iterable[str]:
    for option in _options(place, verbs):
        yield f"{option.names[0]}\t{option.help}".rstrip()


def _values(place: Wanted, verbs: Verbs) -> Iterable[str]:
    for option in _options(place, verbs):
        if place.option in option.names:
            yield from option.values


@dataclass(frozen=True)
class _Option:
    names: Sequence[str]
    help: str
    values: Sequence[str]


def _options(place: Wanted, verbs: Verbs) -> Iterator[_Option]:
    """Read the options of a verb from the signature of its function, as typer does."""
    function = verbs.get(place.verb)
    hints = {} if function is None else get_type_hints(function, include_extras=True)
    for parameter, hint in hints.items():
        for info in getattr(hint, "__metadata__", ()):
            if isinstance(info, OptionInfo):
                names = _declared(info) or [f"--{parameter.replace('_', '-')}"]
                yield _Option(names, info.help or "", _choices(hint))


def _declared(info: OptionInfo) -> Sequence[str]:
    # Within Annotated there is no default, so typer takes what stands in its place for a name.
    given = [info.default, *(info.param_decls or ())]
    return [name for name in given if isinstance(name, str) and name.startswith("--")]


def _choices(hint: Any) -> Sequence[str]:
    kinds = [hint.__origin__, *get_args(hint.__origin__)]
    enums = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum)]
    return [str(choice.value) for kind in enums for choice in kind]


def _first_line(function: Callback) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


async def _of_the_cluster(place: Wanted) -> tuple[Iterable[str], Directive]:
    options = place.options or {}
    kubeconfig = options.get("--kubeconfig")
    client = await connect(Path(kubeconfig) if kubeconfig else None, options.get("--context"))
    async with client:
        namespace = options.get("--namespace") or client.credentials.namespace
        if place.want is Want.VERSION:
            fields = f"spec.model={place.arguments[0]}"
            versions = await client.list(MODEL_VERSIONS, namespace, fields=fields)
            newest_first = sorted(versions, key=lambda item: -int(item["spec"]["version"]))
            told = [_described(item) for item in newest_first]
            return told, Directive.NO_FILES | Directive.KEEP_ORDER
        if place.want is Want.GATE:
            return await _gates(client, namespace, place.arguments), Directive.NO_FILES
        models = await client.list(MODELS, namespace)
    if place.want is Want.MODEL:
        return [item["metadata"]["name"] for item in models], Directive.NO_FILES
    return _references(place.prefix, models)


async def _gates(client: ApiClient, namespace: str, arguments: Sequence[str]) -> Iterable[str]:
    """Offer the gates of a version's attempts; its number may be written as v3."""
    model, version = arguments[0], arguments[1].removeprefix("v")
    fields = f"spec.model={model},spec.version={version}"
    attempts = await client.list(MODEL_TRANSITIONS, namespace, fields=fields)
    gates = [gate["name"] for a in attempts for gate in a.get("status", {}).get("gates", ())]
    return dict.fromkeys(gates)


def _references(prefix: str, models: Sequence[JsonObject]) -> tuple[Iterable[str], Directive]:
    """Offer models first, and then what may follow the `@`."""
    if "@" not in prefix:
        names = [f"{item['metadata']['name']}@" for item in models]
        return names, Directive.NO_FILES | Directive.NO_SPACE
    name = prefix.partition("@")[0]
    aliases = [
        alias["name"]
        for item in models
        if item["metadata"]["name"] == name
        for alias in item["spec"].get("aliases", ())
    ]
    return [f"{name}@{which}" for which in (*DERIVED, *aliases)], Directive.NO_FILES


def _described(version: JsonObject) -> str:
    spec, status = version["spec"], version.get("status", {})
    about = " ".join(str(text) for text in (status.get("stage"), spec.get("label")) if text)
    return f"{spec['version']}\t{about}" if about else str(spec["version"])
