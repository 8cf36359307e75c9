"""What a Retry can never lead to: said when it is created, with what to do instead."""

from modelwarden.admission.reading import Reader
from modelwarden.admission.reviews import Json
from modelwarden.cluster.paths import MODEL_TRANSITIONS, MODELS
from modelwarden.domain.attempts_told import condition, is_open
from modelwarden.domain.names import attempt_name
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, deny


async def refusal(attempt: Json, reader: Reader) -> Verdict | None:
    """Refuse a Retry of an attempt that is open, succeeded, followed or not asked for any more."""
    return (
        _not_ended_badly(attempt)
        or await _followed(attempt, reader)
        or await _not_asked_for(attempt, reader)
    )


def _not_ended_badly(attempt: Json) -> Verdict | None:
    name = attempt["metadata"]["name"]
    if is_open(attempt):
        return deny(
            "AttemptOpen",
            f"spec.transition: {name} has not ended, so there is nothing to try again.",
            "Wait until it has ended.",
        )
    if condition(attempt, "Succeeded").get("status") == "True":
        return deny(
            "AttemptSucceeded",
            f"spec.transition: {name} has succeeded, so there is nothing to try again.",
        )
    return None


async def _followed(attempt: Json, reader: Reader) -> Verdict | None:
    spec, metadata = attempt["spec"], attempt["metadata"]
    target, number = Stage(spec["to"]), spec["attempt"] + 1
    following = attempt_name(spec["model"], spec["version"], target=target, number=number)
    if await reader.find(MODEL_TRANSITIONS, following, metadata["namespace"]) is None:
        return None
    return deny(
        "NotTheLatestAttempt",
        f"spec.transition: {metadata['name']} was followed by {following}.",
        "Retry the latest attempt, once it has ended.",
    )


async def _not_asked_for(attempt: Json, reader: Reader) -> Verdict | None:
    spec, namespace = attempt["spec"], attempt["metadata"]["namespace"]
    if spec["kind"] != "Promote":
        return None
    model = await reader.find(MODELS, spec["model"], namespace)
    stages = {} if model is None else model["spec"].get("stages") or {}
    named = [stages["production"]] if "production" in stages else []
    if spec["to"] != Stage.PRODUCTION:
        named += stages.get(spec["to"].lower()) or ()
    if any(entry["version"] == spec["version"] for entry in named):
        return None
    return deny(
        "NothingAsksForIt",
        f"Nothing in spec.stages of {spec['model']} asks for {spec['version']} in {spec['to']}.",
        "Ask for it again, with a new reason.",
    )
