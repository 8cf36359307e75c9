"""What every container of a gate's pod has in common, whoever built its image."""

import json
from collections.abc import Mapping
from typing import Any

TMP = "/tmp"
TMP_MOUNT = {"name": "tmp", "mountPath": TMP}
TMP_VOLUME: dict[str, Any] = {"name": "tmp", "emptyDir": {}}
TERMINATION_LOG = "/dev/termination-log"


def sealed(container: Mapping[str, Any]) -> dict[str, Any]:
    """Write a container that can change nothing but its volumes, and gains no rights."""
    return {
        **container,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def variable(name: str, value: str) -> dict[str, str]:
    """Write an environment variable."""
    return {"name": name, "value": value}


def variable_of_json(name: str, value: Mapping[str, Any]) -> dict[str, str]:
    """Write an object into a variable; the kubelet finds nothing in it to expand."""
    # It expands $(NAME) in the values of variables; an escaped dollar is none.
    return variable(name, json.dumps(value).replace("$", "\\u0024"))
