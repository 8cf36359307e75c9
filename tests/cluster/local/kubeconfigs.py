"""Kubeconfig files, written as JSON, which is YAML."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from . import programs


def single(
    context: str, *, server: str, authority: bytes, certificate: bytes, key: bytes
) -> dict[str, Any]:
    """A kubeconfig of one context, whose cluster and user bear its name."""
    cluster = {"server": server, "certificate-authority-data": _encoded(authority)}
    user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }


def read(path: Path) -> dict[str, Any]:
    """What the file says, whatever it is written in."""
    shown = _kubectl(path, "config", "view", "--raw", "--output=json")
    content: dict[str, Any] = json.loads(shown)
    return content


def with_user(content: dict[str, Any], name: str, login: dict[str, Any]) -> dict[str, Any]:
    """The same with one more user of the current cluster, and a context of the user's name."""
    contexts = content["contexts"]
    current = next(c for c in contexts if c["name"] == content["current-context"])
    context = {"cluster": current["context"]["cluster"], "user": name}
    others = {
        part: [entry for entry in content[part] if entry["name"] != name]
        for part in ("users", "contexts")
    }
    return {
        **content,
        "users": [*others["users"], {"name": name, "user": login}],
        "contexts": [*others["contexts"], {"name": name, "context": context}],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Replaces the file at once, readable by its owner only: it holds keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    unfinished.replace(path)


def merge(new: Path, into: Path) -> None:
    """Adds the new logins to a file that may hold others, and makes the new ones current."""
    if into.exists() and into.read_text().strip():
        write(into, read_all(new, into))
    else:
        write(into, read(new))


def read_all(*paths: Path) -> dict[str, Any]:
    """The files as one; where two say different things, the first one counts."""
    joined = ":".join(map(str, paths))
    shown = _kubectl(joined, "config", "view", "--raw", "--flatten", "--output=json")
    content: dict[str, Any] = json.loads(shown)
    return content


def remove(path: Path, cluster: str) -> None:
    """Takes the logins of a cluster out of the file."""
    if not path.exists() or cluster not in path.read_text():
        return
    content = read(path)
    contexts = content["contexts"] or []
    gone = [c for c in contexts if c["context"]["cluster"] == cluster]
    users = {c["context"]["user"] for c in gone}
    names = {c["name"] for c in gone}
    content["contexts"] = [c for c in contexts if c["name"] not in names]
    content["users"] = [u for u in content["users"] or [] if u["name"] not in users]
    content["clusters"] = [c for c in content["clusters"] or [] if c["name"] != cluster]
    if content.get("current-context") in names:
        content["current-context"] = ""
    write(path, content)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _kubectl(kubeconfig: Path | str, *words: str) -> str:
    return subprocess.run(
        [programs.built("kubectl"), *words],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
