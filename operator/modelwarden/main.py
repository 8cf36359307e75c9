"""`modelwarden <process>`: what the images run.

Each process is imported when it is asked for: the image of the operator has no readers of model
files, and that of the validator no framework for operators.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of our processes and give its exit code."""
    asked = _parser().parse_args(arguments)
    match asked.process:
        case "controller":
            from modelwarden.handlers.run import run_controller

            return run_controller(asked.settings)
        case "webhook":
            from modelwarden.admission.server import run_webhook

            return run_webhook(asked.settings)
        case "validate":
            # A stop that comes during the imports waits until there is somebody to answer it.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            from modelwarden.validation.job import run_validate

            return run_validate(os.environ, asked.gate)
        case _:
            from modelwarden.artifacts.fetch import run_fetch

            # The first process of a container ignores the signal unless it asks for it.
            signal.signal(signal.SIGTERM, _end)
            return run_fetch(os.environ)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelwarden", description="Run a part of Modelwarden.")
    processes = parser.add_subparsers(dest="process", required=True, metavar="process")
    for name, words in (
        ("controller", "decide about models and keep the ledger"),
        ("webhook", "answer the API server's admission requests"),
    ):
        served = processes.add_parser(name, help=words, description=words)
        served.add_argument("--settings", type=Path, required=True, help="the settings file")
    judged = processes.add_parser("validate", help="judge one artifact, inside a gate's pod")
    judged.add_argument("gate", choices=["artifact", "contract"], help="what is to be judged")
    processes.add_parser("fetch", help="bring an artifact to the pod that serves it")
    return parser


def _end(_number: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
