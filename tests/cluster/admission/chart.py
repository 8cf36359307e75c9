"""What the chart installs, as objects."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.local import programs

CHART = Path(__file__).parents[3] / "charts" / "modelwarden"
NAMESPACE = "modelwarden-system"
PREFIX = "oidc:"


def rendered(template: str) -> list[dict[str, Any]]:
    """The objects of one of the chart's templates, for an identity provider with a prefix."""
    command = (
        str(programs.path("helm")),
        "template",
        "modelwarden",
        str(CHART),
        f"--namespace={NAMESPACE}",
        f"--show-only=templates/{template}",
        f"--set=identity.usernamePrefix={PREFIX}",
    )
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return [document for document in yaml.safe_load_all(answer.stdout) if document]
