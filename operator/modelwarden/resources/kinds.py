"""The five kinds, by name."""

from collections.abc import Mapping
from typing import Final

from modelwarden.resources.model import Model
from modelwarden.resources.model_decision import ModelDecision
from modelwarden.resources.model_policy import ModelPolicy
from modelwarden.resources.model_transition import ModelTransition
from modelwarden.resources.model_version import ModelVersion
from modelwarden.resources.objects import Object

KINDS: Final[Mapping[str, type[Object]]] = {
    kind.KIND.name: kind
    for kind in (Model, ModelVersion, ModelTransition, ModelDecision, ModelPolicy)
}
