"""Why pods do not serve, in their own words: the gravest cause, and what to look at."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.pod_words import CODES, ContainerFacts, PodFacts, Words, words_of


def container(name: str = "server", **changes: Any) -> ContainerFacts:
    return replace(ContainerFacts(name=name), **changes)


def pod(*containers: ContainerFacts, name: str = "fraud-api-1", **changes: Any) -> PodFacts:
    return replace(PodFacts(name=name, containers=containers), **changes)


def said(*pods: PodFacts, not_created: str = "") -> Words | None:
    return words_of(pods, deployment="fraud-api", not_created=not_created)


CREATING = container(waiting="ContainerCreating")
NO_IMAGE = container(waiting="ImagePullBackOff", waiting_message='Back-off pulling image "x"')
CAUSES = {
    "no image": (
        pod(NO_IMAGE),
        Words(
            "ImageNotPulled",
            "Pod fraud-api-1: container server has no image: ImagePullBackOff: Back-off pulling "
            'image "x".',
            "Correct the image in deploy/fraud-api, or let the node pull it.",
        ),
    ),
    "a Secret is missing": (
        pod(
            container(
                waiting="CreateContainerConfigError",
                waiting_message='secret "store" not found',
            )
        ),
        Words(
            "ContainerNotStarted",
            "Pod fraud-api-1: container server cannot start: CreateContainerConfigError: "
            'secret "store" not found.',
            "Correct what it says in deploy/fraud-api.",
        ),
    ),
    "a command that is not there": (
        pod(
            container(
                restarts=2,
                waiting="CrashLoopBackOff",
                exit_code=128,
                exit_reason="StartError",
                exit_message='exec: "serve": not found',
            )
        ),
        Words(
            "ContainerNotStarted",
            "Pod fraud-api-1: container server cannot start: ended with exit code 128 "
            '(StartError): exec: "serve": not found.',
            "Correct what it says in deploy/fraud-api.",
        ),
    ),
    "the artifact is gone": (
        pod(
            container(
                "fetch",
                is_init=True,
                restarts=1,
                waiting="CrashLoopBackOff",
                exit_code=1,
                exit_reason="Error",
                exit_message="modelwarden fetch: ArtifactRefused: s3://models/1 is not there.\n",
            ),
            container(waiting="PodInitializing"),
        ),
        Words(
            "ArtifactNotFetched",
            "Pod fraud-api-1: init container fetch ended with exit code 1: modelwarden fetch: "
            "ArtifactRefused: s3://models/1 is not there.",
            "See kubectl logs fraud-api-1 -c fetch --previous.",
        ),
    ),
    "another init container fails": (
        pod(container("warm", is_init=True, exit_code=2, exit_reason="Error")),
        Words(
            "InitContainerFailed",
            "Pod fraud-api-1: init container warm ended with exit code 2.",
            "See kubectl logs fraud-api-1 -c warm.",
        ),
    ),
    "it crashes again and again": (
        pod(
            container(
                restarts=4,
                waiting="CrashLoopBackOff",
                exit_code=137,
                exit_reason="OOMKilled",
            )
        ),
        Words(
            "ContainerCrashing",
            "Pod fraud-api-1: container server was started again 4 times: it ended with exit code "
            "137 (OOMKilled).",
            "See kubectl logs fraud-api-1 -c server --previous.",
        ),
    ),
    "it crashed and waits for its first restart": (
        pod(container(exit_code=1, exit_reason="Error", exit_message="boom")),
        Words(
            "ContainerCrashing",
            "Pod fraud-api-1: container server has not been started again: it ended with exit "
            "code 1: boom.",
            "See kubectl logs fraud-api-1 -c server.",
        ),
    ),
    "it serves between two crashes": (
        pod(container(ready=True, restarts=1, exit_code=1, exit_reason="Error"), ready=True),
        Words(
            "ContainerCrashing",
            "Pod fraud-api-1: container server was started again once: it ended with exit code 1.",
            "See kubectl logs fraud-api-1 -c server --previous.",
        ),
    ),
    "nobody saw it end": (
        pod(container(restarts=1)),
        Words(
            "ContainerCrashing",
            "Pod fraud-api-1: container server was started again once: it ended before anybody "
            "saw how.",
            "See kubectl logs fraud-api-1 -c server --previous.",
        ),
    ),
    "no node takes it": (
        pod(unscheduled="0/1 nodes are available: 1 Insufficient cpu."),
        Words(
            "PodsUnschedulable",
            "Pod fraud-api-1: no node takes it: 0/1 nodes are available: 1 Insufficient cpu.",
            "Make room, or let deploy/fraud-api ask for less.",
        ),
    ),
    "the node gave it up": (
        pod(lost="Evicted: The node was low on resource: memory."),
        Words(
            "PodLost",
            "Pod fraud-api-1: Evicted: The node was low on resource: memory.",
            "See kubectl describe pod/fraud-api-1.",
        ),
    ),
    "it is not ready": (
        pod(container("fetch", is_init=True, ready=True, exit_code=0), container()),
        Words(
            "PodsNotReady",
            "Pod fraud-api-1: container server runs and does not say that it is ready.",
            "See kubectl logs fraud-api-1 -c server.",
        ),
    ),
    "it starts": (pod(CREATING), None),
    "its init container runs": (
        pod(container("fetch", is_init=True), container(waiting="PodInitializing")),
        None,
    ),
    "it is ready": (pod(container(ready=True), ready=True), None),
}


@pytest.mark.parametrize(("found", "words"), CAUSES.values(), ids=CAUSES)
def test_a_pod_says_why_it_does_not_serve(found: PodFacts, words: Words | None) -> None:
    assert said(found) == words


def test_every_code_is_one_of_those_that_a_machine_is_at_work_on() -> None:
    told = {words.code for found, _ in CAUSES.values() if (words := said(found)) is not None}

    assert told | {"PodsNotCreated"} == CODES


def test_the_gravest_cause_is_told_and_how_many_pods_have_it() -> None:
    unready = pod(container(), name="fraud-api-0")
    first, second = (pod(NO_IMAGE, name=f"fraud-api-{number}") for number in (1, 2))

    words = said(unready, second, first)

    assert words is not None
    assert (words.code, words.sentence.partition(": container")[0]) == (
        "ImageNotPulled",
        "Pod fraud-api-1 and 1 more",
    )


def test_pods_that_may_not_be_made_say_what_the_api_server_said() -> None:
    why = 'pods "fraud-api-1" is forbidden: violates PodSecurity "restricted:latest"'

    assert said(pod(container()), not_created=why) == Words(
        "PodsNotCreated",
        f"No more pods can be made: {why}.",
        "Correct what it says in deploy/fraud-api.",
    )


def test_a_crash_is_told_before_a_quota() -> None:
    crashing = pod(container(restarts=1, exit_code=1))

    words = said(crashing, not_created="exceeded quota")

    assert words is not None
    assert words.code == "ContainerCrashing"


def test_words_of_others_are_one_plain_short_line() -> None:
    long = "\x1b[31mboom\x1b[0m\n" + "x" * 1000
    words = said(pod(container(exit_code=1, exit_message=long)))

    assert words is not None
    assert "\x1b" not in words.sentence
    assert "\n" not in words.sentence
    assert len(words.sentence) < 600
