"""The program `kubectl-model`, and the completion that kubectl asks for."""

import sys

import typer

from modelwarden import __version__
from modelwarden.cli import (
    approve,
    archive,
    audit,
    cancel,
    consumers,
    demote,
    describe,
    diff,
    gates,
    get,
    history,
    lineage,
    logs,
    promote,
    register,
    reject,
    resolve,
    retract,
    retry,
    review,
    rollback,
    serving_at,
    versions,
    why,
)
from modelwarden.cli.examples import epilog_of

app = typer.Typer(
    name="kubectl model",
    help="A model registry whose stages are gates: register, promote, approve, and ask why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, module in (
    ("register", register),
    ("get", get),
    ("versions", versions),
    ("describe", describe),
    ("diff", diff),
    ("why", why),
    ("gates", gates),
    ("logs", logs),
    ("promote", promote),
    ("demote", demote),
    ("archive", archive),
    ("cancel", cancel),
    ("rollback", rollback),
    ("approve", approve),
    ("reject", reject),
    ("retract", retract),
    ("retry", retry),
    ("review", review),
    ("history", history),
    ("serving-at", serving_at),
    ("lineage", lineage),
    ("consumers", consumers),
    ("resolve", resolve),
):
    app.command(name, epilog=epilog_of(name))(module.command)
app.add_typer(audit.app, name="audit")


@app.command("version")
def version() -> None:
    """Print the program's version."""
    sys.stdout.write(f"{__version__}\n")


def main() -> None:
    """Run the program."""
    app(prog_name="kubectl model")


def complete() -> None:
    """Answer kubectl's question what may come next."""
    from modelwarden.cli.completion import completed

    sys.stdout.write(completed(sys.argv[1:], app))
