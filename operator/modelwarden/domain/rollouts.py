"""What a Deployment carries, and whether it has really got there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelwarden.domain import labels
from modelwarden.domain.facts import DeploymentFacts, ModelFacts, ServingTarget
from modelwarden.domain.pod_words import Words, words_of
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import (
    EVER_STAGED,
    ROLLED_OUT,
    ModelKey,
    ModelState,
    VersionState,
)
from modelwarden.domain.verdicts import Verdict, allow, deny, wait


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a Deployment of a model carries of ours: on the object, and on its pod template."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    template_labels: Mapping[str, str]
    template_annotations: Mapping[str, str]


NOTHING_CARRIED = Carried(labels={}, annotations={}, template_labels={}, template_annotations={})


def version_for(target: ServingTarget, state: ModelState) -> VersionState | None:
    """Say which version a target carries: a function of the ledger, and of nothing else.

    For Production it is the version that is being rolled out, else the one in Production. For
    Staging it is the newest candidate.
    """
    if target.stage is Stage.PRODUCTION:
        rollout = state.rollout()
        number = state.production if rollout is None else rollout.key.version
    else:
        staged = state.in_stage(Stage.STAGING)
        number = staged[-1] if staged else None
    return None if number is None else state.versions[number]


def has_ever_carried(target: ServingTarget, state: ModelState) -> bool:
    """Say whether a record ever gave a target a version: what none gave is not taken away."""
    if target.stage is Stage.PRODUCTION:
        return bool(state.intervals) or bool(state.attempts.group(ROLLED_OUT))
    return bool(state.versions.group(EVER_STAGED))


def carried(key: ModelKey, version: VersionState | None, *, stage: Stage) -> Carried:
    """Write what a Deployment carries for a version; nothing where there is none."""
    if version is None:
        return NOTHING_CARRIED
    template_labels = {labels.MODEL: key.name, labels.MODEL_VERSION: str(version.number)}
    annotations = {
        labels.ARTIFACT_URI: version.artifact_uri,
        labels.ARTIFACT_DIGEST: version.artifact_digest,
    }
    return Carried(
        labels={**template_labels, labels.STAGE: stage.value},
        annotations=annotations,
        template_labels=template_labels,
        template_annotations=annotations,
    )


def carries(deployment: DeploymentFacts, wanted: Carried) -> bool:
    """Say whether a Deployment carries exactly what it should of ours."""
    return (
        _ours(deployment.labels) == wanted.labels
        and _ours(deployment.annotations) == wanted.annotations
        and _ours(deployment.template_labels) == wanted.template_labels
        and _ours(deployment.template_annotations) == wanted.template_annotations
    )


def pods_carry(deployment: DeploymentFacts, version: int, *, key: ModelKey) -> bool:
    """Say whether the pods that a Deployment makes are for a version of a model."""
    made_for = deployment.template_labels
    return (made_for.get(labels.MODEL), made_for.get(labels.MODEL_VERSION)) == (
        key.name,
        str(version),
    )


def deployment_is_free(deployment: DeploymentFacts | None, name: str, *, key: ModelKey) -> Verdict:
    """The Deployment exists and no other model has it."""
    if deployment is None:
        return wait(
            "DeploymentMissing",
            f"Deployment {name} does not exist in {key.namespace}.",
            "Create it, or take it out of spec.serving.",
        )
    holder = deployment.labels.get(labels.MODEL, key.name)
    if holder != key.name:
        return wait(
            "DeploymentTaken",
            f"Deployment {name} serves {holder}.",
            f"Name another Deployment, or take it out of the serving list of {holder}.",
        )
    return allow("DeploymentFree", f"Deployment {name} can take the version.")


def rollout_is_done(deployment: DeploymentFacts, wanted: Carried) -> Verdict:
    """The new template is fully rolled out and the old one is gone, all of it in one reading.

    Right after a change every count still speaks of the old template; only the observed generation
    tells the difference.
    """
    name = deployment.name
    if not carries(deployment, wanted):
        return wait("NotYetLabelled", f"Deployment {name} does not carry the version yet.")
    if deployment.paused:
        return wait("RolloutPaused", f"Deployment {name} is paused.", f"Resume deploy/{name}.")
    if deployment.generation != deployment.observed_generation:
        return wait("RollingOut", f"Deployment {name} has not begun to roll out.")
    words = words_of(deployment.pods, deployment=name, not_created=deployment.not_created)
    if deployment.progressing == "ProgressDeadlineExceeded":
        return _stuck(deployment, words)
    if deployment.replicas == deployment.current == deployment.terminating == 0:
        return allow("NotServing", f"Deployment {name} has no replicas; nothing serves.")
    counts = (deployment.updated, deployment.current, deployment.available)
    if (
        deployment.progressing == "NewReplicaSetAvailable"
        and all(count == deployment.replicas for count in counts)
        and deployment.terminating == 0
    ):
        return allow("RolledOut", f"Deployment {name} serves with {deployment.replicas} replicas.")
    return _on_the_way(deployment, words)


def _stuck(deployment: DeploymentFacts, words: Words | None) -> Verdict:
    name = deployment.name
    sentence = f"Deployment {name} made no progress: {deployment.progressing_message}"
    if words is None:
        advice = f"See kubectl describe deploy/{name}."
        return deny("ProgressDeadlineExceeded", sentence, advice)
    return deny("ProgressDeadlineExceeded", f"{sentence} {words.sentence}", words.next_step)


def _on_the_way(deployment: DeploymentFacts, words: Words | None) -> Verdict:
    name = deployment.name
    sentence = (
        f"Deployment {name} has {deployment.updated} of {deployment.replicas} replicas updated, "
        f"{deployment.available} available."
    )
    if words is not None:
        return wait(words.code, f"{sentence} {words.sentence}", words.next_step)
    if deployment.min_ready_seconds and deployment.ready > deployment.available:
        sentence += f" Each must stay ready for {deployment.min_ready_seconds} s."
    elif deployment.terminating:
        pods = "1 pod" if deployment.terminating == 1 else f"{deployment.terminating} pods"
        sentence += f" {pods} of the template before {_is_are(deployment.terminating)} ending."
    return wait("RollingOut", sentence)


def _is_are(count: int) -> str:
    return "is" if count == 1 else "are"


def failure_of_rollout(verdicts: Sequence[Verdict], *, late_after: int | None) -> Verdict | None:
    """Say why a rollout has failed: one Deployment did, or all of it took too long.

    Several Deployments move together or not at all, so one that failed speaks for all of them.
    `late_after` is the limit in seconds once it has passed.
    """
    failed = [verdict for verdict in verdicts if verdict.denies]
    if failed:
        return deny(failed[0].code, _sentences(failed), _next_steps(failed))
    waiting = [verdict for verdict in verdicts if not verdict.allows]
    if late_after is None or not waiting:
        return None
    sentence = f"The rollout took longer than {late_after} s: {_sentences(waiting)}"
    return deny("RolloutTimedOut", sentence, _next_steps(waiting))


def _sentences(verdicts: Sequence[Verdict]) -> str:
    return " ".join(dict.fromkeys(verdict.sentence for verdict in verdicts))


def _next_steps(verdicts: Sequence[Verdict]) -> str:
    return " ".join(dict.fromkeys(v.next_step for v in verdicts if v.next_step))


def production_targets(model: ModelFacts) -> tuple[ServingTarget, ...]:
    """List the Deployments that serve what is in Production."""
    return tuple(target for target in model.serving if target.stage is Stage.PRODUCTION)


def _ours(mapping: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key in labels.CARRIED}
