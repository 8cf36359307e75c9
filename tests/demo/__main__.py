"""`make demo`: a cluster, everything installed on it, and the story told on it."""

import argparse
import sys
from pathlib import Path

from tests.cluster import running
from tests.cluster.example import Example
from tests.cluster.installed import TOP, installed
from tests.cluster.local.terminal import say
from tests.demo.story import Story, UnexpectedError
from tests.demo.telling import Teller

NAME = "modelwarden-demo"
KUBECONFIG = TOP / ".cache/demo/kubeconfig"
NAMESPACE = "risk"


def main() -> int:
    """Start from an empty cluster, so that the story is the same each time."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--only-install", action="store_true", help="leave the story out")
    chosen = parser.parse_args()
    say("Preparing; the first time, the programs of the cluster are built.")
    running.stop_if_running(NAME, KUBECONFIG)
    cluster = running.start(NAME, KUBECONFIG)
    with installed(cluster) as operator:
        example = Example(operator, NAMESPACE, _work())
        example.set_up()
        if not chosen.only_install:
            try:
                Story(example, Teller()).tell()
            except UnexpectedError as error:
                say(f"error: {error}")
                return 1
    _say_what_is_left()
    return 0


def _work() -> Path:
    work = TOP / ".cache/demo/models"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _say_what_is_left() -> None:
    say("\nThe cluster goes on running. Look around, as engineer, manager, owner, reviewer, ...:")
    say(f"  export KUBECONFIG={KUBECONFIG.relative_to(TOP)}")
    say('  export PATH="$PWD/.venv/bin:$(tests/cluster/kind path):$PATH"')
    say(f"  kubectl model get --context engineer -n {NAMESPACE}")
    say("`make down` removes it, and everything else that was started.")


if __name__ == "__main__":
    sys.exit(main())
