"""Which Model an object is about, and which of its versions: what a change of it touches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from modelwarden.domain import labels
from modelwarden.domain.names import version_name
from modelwarden.domain.state import ModelKey

# An object as the API has it.
Stored: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Touch:
    """A Model to be looked at, and the names of those of its versions and attempts touched."""

    key: ModelKey
    names: frozenset[str] = frozenset()


def touched_by_model(model: Stored) -> Touch:
    """A Model is looked at itself."""
    metadata = model["metadata"]
    return Touch(ModelKey(metadata["namespace"], metadata["name"]))


def touched_by_version(version: Stored) -> Touch | None:
    """A ModelVersion touches itself."""
    metadata, model = version["metadata"], _spec(version).get("model")
    if not model:
        return None
    return Touch(ModelKey(metadata["namespace"], model), frozenset({metadata["name"]}))


def touched_by_spec(stored: Stored) -> Touch | None:
    """A ModelDecision touches the version in its spec, if there is one."""
    spec = _spec(stored)
    model, version = spec.get("model"), spec.get("version")
    if not model:
        return None
    names = frozenset[str]() if version is None else frozenset({version_name(model, version)})
    return Touch(ModelKey(stored["metadata"]["namespace"], model), names)


def touched_by_transition(transition: Stored) -> Touch | None:
    """A ModelTransition touches its version and itself: perhaps no record leads to it."""
    touch = touched_by_spec(transition)
    return touch and replace(touch, names=touch.names | {transition["metadata"]["name"]})


def touched_by_gate(stored: Stored) -> Touch | None:
    """A gate's Job or pod touches the version whose attempt it belongs to.

    Anybody may write these labels on a pod of their own: they lead to a look, never to a result.
    """
    metadata = stored["metadata"]
    model = (metadata.get("labels") or {}).get(labels.MODEL)
    namespace, _, attempt = _annotation(metadata, labels.TRANSITION).partition("/")
    if not (model and namespace and attempt):
        return None
    # <model>-<version>-<to>-<n>
    return Touch(ModelKey(namespace, model), frozenset({attempt.rsplit("-", 2)[0]}))


def touched_by_deployment(deployment: Stored) -> Touch | None:
    """A Deployment of ours touches the Model that it is labelled with."""
    metadata = deployment["metadata"]
    model = (metadata.get("labels") or {}).get(labels.MODEL)
    return Touch(ModelKey(metadata["namespace"], model)) if model else None


def _spec(stored: Stored) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = stored.get("spec") or {}
    return spec


def _annotation(metadata: Mapping[str, Any], name: str) -> str:
    return str((metadata.get("annotations") or {}).get(name, ""))
