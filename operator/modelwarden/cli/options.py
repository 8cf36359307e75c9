"""The arguments and options that several verbs have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from modelwarden.cli.answers import Format


class DryRun(StrEnum):
    """Where a verb ends that is only tried."""

    NONE = "none"
    CLIENT = "client"


ModelName: TypeAlias = Annotated[str, typer.Argument(help="The model.", metavar="MODEL")]
VersionNumber: TypeAlias = Annotated[
    int, typer.Argument(help="The version's number.", metavar="VERSION", min=1, max=999_999)
]
Namespace: TypeAlias = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The namespace of the model.")
]
Context: TypeAlias = Annotated[str | None, typer.Option(help="The context of the kubeconfig.")]
Kubeconfig: TypeAlias = Annotated[
    Path | None, typer.Option(help="The kubeconfig, if not the usual one.")
]
Output: TypeAlias = Annotated[
    Format | None, typer.Option("--output", "-o", help="Print for machines.")
]
Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Wait for the end, and tell what happens until then.")
]
Timeout: TypeAlias = Annotated[
    str, typer.Option(help="How long to wait at most, such as 90s, 15m or 1h30m.")
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
