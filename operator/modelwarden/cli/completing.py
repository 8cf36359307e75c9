"""What may come next on a command line of kubectl model, before anybody is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Want(StrEnum):
    """The kinds of words that may come next."""

    VERB = "verb"
    MODEL = "model"
    REFERENCE = "reference"
    VERSION = "version"
    GATE = "gate"
    OPTION = "option"
    VALUE = "value"
    FILE = "file"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What may come next, and what was given before it."""

    want: Want
    prefix: str
    verb: str = ""
    option: str = ""
    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] | None = None


# What each verb is told, in order.
ARGUMENTS: Mapping[str, tuple[Want, ...]] = {
    "register": (Want.FILE,),
    "get": (Want.MODEL,),
    "versions": (Want.MODEL,),
    "describe": (Want.MODEL, Want.VERSION),
    "diff": (Want.MODEL, Want.VERSION, Want.VERSION),
    "why": (Want.MODEL, Want.VERSION),
    "gates": (Want.MODEL, Want.VERSION),
    "logs": (Want.MODEL, Want.VERSION, Want.GATE),
    "promote": (Want.MODEL, Want.VERSION),
    "demote": (Want.MODEL, Want.VERSION),
    "archive": (Want.MODEL, Want.VERSION),
    "cancel": (Want.MODEL, Want.VERSION),
    "rollback": (Want.MODEL,),
    "approve": (Want.MODEL, Want.VERSION),
    "reject": (Want.MODEL, Want.VERSION),
    "retract": (Want.MODEL, Want.VERSION),
    "retry": (Want.MODEL, Want.VERSION),
    "review": (Want.MODEL,),
    "history": (Want.MODEL,),
    "serving-at": (Want.MODEL,),
    "lineage": (Want.MODEL, Want.VERSION),
    "consumers": (Want.MODEL, Want.VERSION),
    "resolve": (Want.REFERENCE,),
    "audit": (),
    "audit verify": (),
    "audit show": (),
}
SUBVERBS = {"audit": ("verify", "show")}
_FLAGS = frozenset(
    {
        "-A",
        "--all-namespaces",
        "--all",
        "--wait",
        "--force",
        "--yes",
        "-y",
        "--offline",
        "--help",
        "-h",
    }
)
_FILES = frozenset({"--kubeconfig", "--from", "--metrics", "--key", "--ledger"})
_SHORT = {"-n": "--namespace", "-o": "--output"}


def wanted(words: Sequence[str]) -> Wanted:
    """Say what may come at the place of the last word, which may be empty or begun."""
    *before, prefix = words or [""]
    arguments, options, open_option = _read(before)
    verb = arguments[0] if arguments else ""
    given = arguments[1:]
    if verb in SUBVERBS and given:
        verb, given = f"{verb} {given[0]}", given[1:]
    want = _want(verb, given, prefix=prefix, option=open_option)
    return Wanted(
        want=want,
        prefix=prefix,
        verb=verb,
        option=open_option,
        arguments=tuple(given),
        options=options,
    )


def _want(verb: str, given: Sequence[str], *, prefix: str, option: str) -> Want:
    if option:
        if option == "--model":
            return Want.MODEL
        return Want.FILE if option in _FILES else Want.VALUE
    if not verb:
        return Want.VERB
    if prefix.startswith("-"):
        return Want.OPTION
    if verb in SUBVERBS:
        return Want.VERB
    kinds = ARGUMENTS.get(verb, ())
    return kinds[len(given)] if len(given) < len(kinds) else Want.NOTHING


def _read(words: Sequence[str]) -> tuple[list[str], dict[str, str], str]:
    """Tell arguments from options; the third is an option that still waits for its value."""
    arguments: list[str] = []
    options: dict[str, str] = {}
    waiting = ""
    for word in words:
        if waiting:
            options[waiting], waiting = word, ""
        elif not word.startswith("-"):
            arguments.append(word)
        elif "=" in word:
            name, _, value = word.partition("=")
            options[_SHORT.get(name, name)] = value
        elif word not in _FLAGS:
            waiting = _SHORT.get(word, word)
    return arguments, options, waiting
