"""The arguments and options that several verbs have."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from modelwarden.cli.answers import Format

_NUMBER = re.compile(r"v?([1-9][0-9]{0,5})", re.ASCII)


class DryRun(StrEnum):
    """Where a verb ends that is only tried."""

    NONE = "none"
    CLIENT = "client"


class Trial(StrEnum):
    """Where an edit or a decision ends that is only tried."""

    NONE = "none"
    CLIENT = "client"
    SERVER = "server"


def version_number(text: str | int) -> int:
    """Read a version's number: `3`, or `v3` as references write it."""
    found = _NUMBER.fullmatch(str(text))
    if found is None:
        raise typer.BadParameter(f"{text!r} is no version: write its number, such as 3 or v3.")
    return int(found[1])


ModelName: TypeAlias = Annotated[str, typer.Argument(help="The model.", metavar="MODEL")]
VersionNumber: TypeAlias = Annotated[
    int,
    typer.Argument(
        help="The version's number, as 3 or v3.", metavar="VERSION", parser=version_number
    ),
]
SomeVersion: TypeAlias = Annotated[
    int | None,
    typer.Argument(help="One version, as 3 or v3.", metavar="[VERSION]", parser=version_number),
]
Namespace: TypeAlias = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The namespace of the model.")
]
Context: TypeAlias = Annotated[str | None, typer.Option(help="The context of the kubeconfig.")]
Kubeconfig: TypeAlias = Annotated[
    Path | None, typer.Option(help="The kubeconfig, if not the usual one.")
]
Output: TypeAlias = Annotated[
    Format | None,
    typer.Option("--output", "-o", help="json, yaml, name: for machines; wide: more columns."),
]
Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Wait for the end, and tell what happens until then.")
]
Timeout: TypeAlias = Annotated[
    str, typer.Option(help="How long to wait at most, such as 90s, 15m or 1h30m.")
]
Reason: TypeAlias = Annotated[str, typer.Option(help="Why; it goes into the ledger.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")]
Force: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--force", help="Edit a Model that is kept in Git, whose automatic sync must be off."
    ),
]
Tried: TypeAlias = Annotated[
    Trial,
    typer.Option("--dry-run", help="client: send nothing; server: ask whether it is allowed."),
]
TriedOnly: TypeAlias = Annotated[DryRun, typer.Option("--dry-run", help="client: send nothing.")]
OperatorNamespace: TypeAlias = Annotated[
    str, typer.Option(help="Where the operator is installed.", envvar="MODELWARDEN_NAMESPACE")
]
OperatorName: TypeAlias = Annotated[
    str, typer.Option(help="The full name of its release.", envvar="MODELWARDEN_NAME")
]
OPERATOR_NAMESPACE = "modelwarden-system"
OPERATOR_NAME = "modelwarden"
