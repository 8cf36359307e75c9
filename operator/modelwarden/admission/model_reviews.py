"""What a Review can never count as: said when it is created, by what anybody can read.

The controller judges every Review again when it counts, by the records.
"""

from modelwarden.admission.reading import Reader
from modelwarden.admission.reviews import Json, Review
from modelwarden.cluster.paths import MODEL_POLICIES, MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.attempts_told import condition
from modelwarden.domain.exclusions import excluded_people, vote_refusal
from modelwarden.domain.identity import Identity, same_person
from modelwarden.domain.names import version_name
from modelwarden.domain.reviews import EXCLUDED_AT_LEAST
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, deny


async def refusal(review: Review, reader: Reader, *, identity: Identity) -> Verdict | None:
    """Refuse the Review of what is not there to review, or of one's own work."""
    if "transition" in review.spec:
        return await _of_a_rollback(review, reader, identity=identity)
    name, namespace = review.spec["model"], review.namespace
    model = await reader.find(MODELS, name, namespace)
    if model is None:
        return deny("ModelUnknown", f"spec.model: there is no Model {name} in {namespace}.")
    stages: Json = (model.get("status") or {}).get("stages") or {}
    if "production" not in stages:
        return deny(
            "NothingToReview",
            f"spec.model: no version of {name} is in Production.",
            "Review it when one is.",
        )
    number = stages["production"]["version"]
    record = await reader.find(MODEL_VERSIONS, version_name(name, number), namespace)
    made: Json = {} if record is None else record["spec"]
    return vote_refusal(
        review.caller.username,
        excluded_people(
            (trainer["name"] for trainer in made.get("trainedBy") or ()),
            (made.get("registeredBy") or {}).get("username", ""),
            excludes=await _excludes(model, reader),
            identity=identity,
        ),
        decision=review.spec["decision"],
        model=name,
        version=number,
        identity=identity,
    )


async def _excludes(model: Json, reader: Reader) -> tuple[str, ...]:
    """Read for what the policy excludes people from approving Production."""
    name = model["status"].get("policy", {}).get("name", "")
    policy = await reader.find(MODEL_POLICIES, name) if name else None
    steps: tuple[Json, ...] = () if policy is None else tuple(policy["spec"].get("steps") or ())
    asked = [
        step["approvals"]
        for step in steps
        if step["to"] == Stage.PRODUCTION and "approvals" in step
    ]
    return tuple(asked[0].get("exclude") or ()) if asked else EXCLUDED_AT_LEAST


async def _of_a_rollback(review: Review, reader: Reader, *, identity: Identity) -> Verdict | None:
    named = review.spec["transition"]
    attempt = await reader.find(MODEL_TRANSITIONS, named["name"], review.namespace)
    if attempt is None or attempt["metadata"]["uid"] != named["uid"]:
        return deny(
            "AttemptUnknown",
            f"spec.transition: there is no attempt {named['name']} with this uid in "
            f"{review.namespace}.",
            f"See `kubectl get modeltransitions -n {review.namespace}`.",
        )
    succeeded = condition(attempt, "Succeeded").get("status") == "True"
    if attempt["spec"]["kind"] != "Rollback" or not succeeded:
        return deny(
            "NothingToReview",
            f"spec.transition: {named['name']} is no rollback that has been made.",
            "Leave spec.transition out to review the Model.",
        )
    author = attempt["spec"]["request"].get("author") or {}
    if same_person(author.get("username", ""), review.caller.username, identity=identity):
        return deny(
            "RequesterExcluded",
            f"{review.caller.username} asked for this rollback and may not review it.",
            "Ask somebody else who may approve.",
        )
    return None
