"""`make bench`: ratios, each measured within one run, so that the machine's speed drops out."""

import argparse
import sys

from tests.benchmarks import in_memory, on_a_cluster
from tests.benchmarks.laboratory import Laboratory
from tests.benchmarks.promotion import promotion

PARTS = {
    "memory": lambda _lab: in_memory.measure(),
    "admission": on_a_cluster.admission,
    "promotion": promotion,
    "crowd": on_a_cluster.crowd,
}


def main() -> int:
    """Measure what was asked for, all by default, and print a line for each."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure")
    asked = parser.parse_args().parts or list(PARTS)
    with Laboratory() as lab:
        for part in asked:
            for measured in PARTS[part](lab):
                sys.stdout.write(f"{measured.line()}\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
