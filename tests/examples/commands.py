"""The commands that the README of an example shows: what is fenced as `sh`, one by one."""

import re
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
NUMBERED = tuple(sorted(path for path in EXAMPLES.iterdir() if re.match(r"\d\d-", path.name)))

_FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GOES_ON = ("\\", "|", "&&")


def commands_of(readme: str) -> tuple[str, ...]:
    """Give each command by itself, so that each must end as it says; lines that go on are one."""
    commands: list[str] = []
    for block in _FENCED.findall(readme):
        lines: list[str] = []
        for line in block.splitlines():
            lines.append(line)
            if not line.endswith(_GOES_ON):
                commands.append("\n".join(lines))
                lines = []
        if lines:
            raise ValueError(f"a command goes on and does not end: {lines[-1]}")
    return tuple(command for command in commands if command.strip())
