"""The people and machines of the tests: each a login of its own, on any cluster.

People get client certificates through the cluster's own CertificateSigningRequests, so that a
cluster of processes and kind are served by the same few calls.
"""

import base64
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import kubeconfigs, programs
from .api import eventually


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who logs in, named for their part; the context in the kubeconfig has that name."""

    part: str
    groups: tuple[str, ...] = ()

    @property
    def username(self) -> str:
        """The name that the API server knows them by."""
        return f"{self.part}@example.com"


PEOPLE = (
    Person(part="scientist", groups=("data-scientists",)),
    Person(part="engineer", groups=("ml-engineers",)),
    Person(part="manager", groups=("release-managers",)),
    Person(part="owner", groups=("model-owners",)),
    Person(part="reviewer", groups=("risk-reviewers",)),
    Person(part="platform", groups=("platform-team",)),
    Person(part="auditor", groups=("auditors",)),
)
ADMINISTRATOR = "platform"


def add(kubeconfig: Path) -> None:
    """Gives every person a context in the kubeconfig, if its current context is an admin's."""
    content = kubeconfigs.read(kubeconfig)
    present = {context["name"] for context in content["contexts"]}
    missing = [person for person in PEOPLE if person.part not in present]
    if not missing:
        return
    _kubectl(kubeconfig, "apply", "--server-side", "-f", "-", given=_administrator_binding())
    for person, login in _logins(kubeconfig, missing).items():
        content = kubeconfigs.with_user(content, person.part, login)
    kubeconfigs.write(kubeconfig, content)


def add_service_account(kubeconfig: Path, namespace: str, name: str) -> str:
    """Makes a service account if absent, and a context for it; returns the context's name."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace},
    }
    _kubectl(kubeconfig, "apply", "--server-side", "-f", "-", given=account)
    context = f"{namespace}/{name}"
    login = {"token": token(kubeconfig, namespace, name)}
    content = kubeconfigs.with_user(kubeconfigs.read(kubeconfig), context, login)
    kubeconfigs.write(kubeconfig, content)
    return context


def token(kubeconfig: Path, namespace: str, name: str) -> str:
    """A token of the service account, good for a day."""
    words = ("create", "token", name, f"--namespace={namespace}", "--duration=24h")
    return _kubectl(kubeconfig, *words).strip()


def _administrator_binding() -> dict[str, Any]:
    role = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin",
    }
    person = next(person for person in PEOPLE if person.part == ADMINISTRATOR)
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person.username}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "platform-team-administers"},
        "roleRef": role,
        "subjects": [user],
    }


def _logins(kubeconfig: Path, people: list[Person]) -> dict[Person, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        requests = {person: _request(person, Path(place)) for person in people}
        keys = {person: (Path(place) / f"{person.part}.key").read_bytes() for person in people}
    names = {person: request["metadata"]["name"] for person, request in requests.items()}
    everything = {"apiVersion": "v1", "kind": "List", "items": list(requests.values())}
    _kubectl(kubeconfig, "create", "-f", "-", given=everything)
    _kubectl(kubeconfig, "certificate", "approve", *names.values())
    issued: dict[str, str] = {}
    eventually(_all_issued(kubeconfig, list(names.values()), into=issued), within=30)
    _kubectl(kubeconfig, "delete", "certificatesigningrequests", "--wait=false", *names.values())
    return {
        person: {
            "client-certificate-data": issued[names[person]],
            "client-key-data": base64.b64encode(keys[person]).decode(),
        }
        for person in people
    }


def _request(person: Person, place: Path) -> dict[str, Any]:
    subject = f"/CN={person.username}" + "".join(f"/O={group}" for group in person.groups)
    key, request = place / f"{person.part}.key", place / f"{person.part}.csr"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(key), "-out", str(request), "-subj", subject)
    subprocess.run(["openssl", "req", "-new", *kind, *files], check=True, capture_output=True)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": f"{person.part}-{secrets.token_hex(4)}"},
        "spec": {
            "request": base64.b64encode(request.read_bytes()).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }


def _all_issued(kubeconfig: Path, names: list[str], *, into: dict[str, str]) -> Callable[[], bool]:
    def claim() -> bool:
        words = ("get", "certificatesigningrequests", "--output=json", *names)
        for request in json.loads(_kubectl(kubeconfig, *words))["items"]:
            if "certificate" in request["status"]:
                into[request["metadata"]["name"]] = request["status"]["certificate"]
        return set(into) == set(names)

    return claim


def _kubectl(kubeconfig: Path, *words: str, given: dict[str, Any] | None = None) -> str:
    return subprocess.run(
        [programs.built("kubectl"), *words],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        input=json.dumps(given) if given else None,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
