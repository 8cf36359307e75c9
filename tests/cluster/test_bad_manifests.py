"""Bad manifests and edits: each is refused with a path or a sentence, or held with a reason.

They are told from good ones by one change each. None of them stops what stands beside them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from modelwarden.domain.digests import file_digest
from tests.cluster.admission.callers import GROUP, Person, RefusedError, Server
from tests.cluster.admission.objects import role
from tests.cluster.arena import model_file
from tests.cluster.bad_manifests import (
    DECISIONS,
    GONE,
    HELD,
    HERE,
    MODELS,
    POLICIES,
    RECORDS,
    STAGES,
    VERSIONS,
    Bad,
    Held,
    brought,
    changed,
    entries,
    model,
    policy,
    version,
)
from tests.cluster.installed import SYSTEM, Installed
from tests.cluster.running import until

# Whoever is named in the tables, and the rights they hold beside editing objects.
RIGHTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "lead": (("*", ("*",)),),
    "stranger": (),
    "creator": (("models/*", ("promote", "demote")),),
    "engineer": (("models/staging", ("promote", "demote")), ("modelpolicies", ("use",))),
    "promoter": (("models/production", ("promote",)),),
    "owner": (("models/production", ("approve",)),),
    "reviewer": (("models/production", ("approve",)),),
    "scientist": (("models/production", ("approve",)),),
    "machine": (("models/production", ("approve",)),),
}
GROUPS = {"reviewer": ("risk-reviewers",)}
PARTS = ("models/staging", "models/production", "models/archived")
KINDS = {
    "Model": "models",
    "ModelVersion": "modelversions",
    "ModelPolicy": "modelpolicies",
    "ModelDecision": "modeldecisions",
    "ModelTransition": "modeltransitions",
    "Deployment": "deployments",
}
AT_ONCE, VOTED, FILED = "bad-at-once", "bad-voted", "bad-filed"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A namespace in which everybody of the tables may do their part."""

    operator: Installed
    admin: Person
    namespace: str
    pods: Mapping[str, int]

    def person(self, name: str) -> Person:
        """Somebody of the tables; nobody is the administrator."""
        if not name:
            return self.admin
        return self.admin.named(self.login(name), *GROUPS.get(name, ()))

    def login(self, name: str) -> str:
        """How the API server knows them."""
        is_machine = name == "machine"
        account = f"system:serviceaccount:{self.namespace}:machine"
        return account if is_machine else f"{name}@example.com"

    def put(self, good: Mapping[str, Any], by: str = "lead") -> dict[str, Any]:
        """Store an object."""
        return self._send("POST", self._collection(good), good, by=by, dry_run=False)

    def edit(self, kind: str, name: str, path: str, value: Any) -> dict[str, Any]:
        """Store an edit of an object as it is now; again, if its status went on meanwhile."""

        def stored() -> dict[str, Any] | None:
            edited = changed(self.read(kind, name), path, value)
            try:
                return self._send("PUT", f"{self._path(kind)}/{name}", edited, dry_run=False)
            except RefusedError as refusal:
                if refusal.code != HTTPStatus.CONFLICT:
                    raise
                return None

        return until(stored, what=f"{kind} {name} is edited")

    def said_of(self, thing: Mapping[str, Any], by: str) -> str:
        """What is said of creating an object, which is not stored; nothing if it would be."""
        return self._said("POST", self._collection(thing), thing, by)

    def said_of_edit(self, name: str, thing: Mapping[str, Any], by: str) -> str:
        """What is said of replacing an object, which is not done; nothing if it would be."""
        return self._said("PUT", f"{self._collection(thing)}/{name}", thing, by)

    def read(self, kind: str, name: str) -> dict[str, Any]:
        """Read an object."""
        found: dict[str, Any] = self.admin.get(f"{self._path(kind)}/{name}")
        return found

    def list(self, kind: str) -> list[dict[str, Any]]:
        """Read all objects of a kind."""
        found: list[dict[str, Any]] = self.admin.get(self._path(kind))["items"]
        return found

    def _said(self, method: str, path: str, thing: Mapping[str, Any], by: str) -> str:
        try:
            self._send(method, path, thing, by=by, dry_run=True)
        except RefusedError as refusal:
            return str(refusal)
        return ""

    def _send(
        self, method: str, path: str, thing: Mapping[str, Any], *, dry_run: bool, by: str = "lead"
    ) -> dict[str, Any]:
        here = json.loads(json.dumps(thing).replace(HERE, self.namespace))
        found: dict[str, Any] = self.person(by).write(method, path, here, dry_run=dry_run)
        return found

    def _collection(self, thing: Mapping[str, Any]) -> str:
        return self._path(thing["kind"])

    def _path(self, kind: str) -> str:
        plural = KINDS[kind]
        if kind == "ModelPolicy":
            return f"{GROUP}/{plural}"
        group = "/apis/apps/v1" if kind == "Deployment" else GROUP
        return f"{group}/namespaces/{self.namespace}/{plural}"


@pytest.fixture(scope="module")
def ground(operator: Installed) -> Iterator[Ground]:
    cluster = operator.cluster
    shown = json.loads(cluster.kubectl(None, "config", "view", "--raw", "--output=json"))
    admin = Person(server=Server(shown, cluster.admin))
    with cluster.namespace("bad-manifests") as namespace:
        found = Ground(operator=operator, admin=admin, namespace=namespace, pods=restarts(operator))
        cluster.apply(*_rights(found), namespace=namespace)
        cluster.apply(_at_once(AT_ONCE), _at_once(FILED, artifact={}), policy(VOTED))
        # Whether a webhook is asked, and a Role known, is nothing that one could read anywhere.
        until(lambda: found.said_of(model(), "lead") == "", what="a good Model is admitted")
        yield found
    names = [each["metadata"]["name"] for each in found.list("ModelPolicy")]
    ours = [name for name in names if name.startswith("bad-")]
    cluster.kubectl(None, "delete", "modelpolicies", *ours)


def restarts(operator: Installed) -> dict[str, int]:
    """How often each pod of the operator's was started anew."""
    pods = operator.cluster.get("pods", f"--namespace={SYSTEM}")["items"]
    return {
        pod["metadata"]["name"]: sum(c["restartCount"] for c in pod["status"]["containerStatuses"])
        for pod in pods
    }


def _rights(ground: Ground) -> Iterator[dict[str, Any]]:
    edit = {
        "apiGroups": ["modelwarden.io"],
        "resources": ["models", "modelversions", "modeldecisions"],
        "verbs": ["get", "list", "create", "update", "patch"],
    }
    for name, held in RIGHTS.items():
        more = [
            {
                "apiGroups": ["modelwarden.io", *(["apps"] if what == "*" else [])],
                "resources": list(PARTS) if what == "models/*" else [what],
                "verbs": list(verbs),
            }
            for what, verbs in held
        ]
        group = "rbac.authorization.k8s.io"
        yield role(name, edit, *more)
        yield {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": ground.login(name)}],
        }


def _at_once(name: str, **first: Any) -> dict[str, Any]:
    """A policy that waits for nobody; `first` is what is claimed of a version to be registered."""
    gates = [{"name": "quality", "metrics": {}}]
    steps = [{"to": to, "gates": gates} for to in ("Registered", "Staging", "Production")]
    if first:
        steps[0]["gates"] = [{"name": "first", **first}]
    return policy(name, steps=steps, belowFloor={"reason": "What is asked here is another."})


# --- refused at the door -------------------------------------------------------------------------


def each_of(table: tuple[Bad, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", table, ids=lambda row: row.title.replace(" ", "-"))


def missing(answer: str, row: Bad) -> list[str]:
    """What the answer should have said."""
    return [words for words in row.says if words not in answer]


def test_the_good_ones_are_admitted(ground: Ground) -> None:
    said = [
        ground.said_of(model(), "lead"),
        ground.said_of(version(), "lead"),
        ground.said_of(brought(), ""),
    ]

    assert said == ["", "", ""]


@each_of(MODELS)
def test_a_bad_model_is_refused(ground: Ground, row: Bad) -> None:
    answer = ground.said_of(changed(model(), row.path, row.value), row.by or "lead")

    assert missing(answer, row) == [], answer


@each_of(VERSIONS)
def test_a_bad_version_is_refused(ground: Ground, row: Bad) -> None:
    answer = ground.said_of(changed(version(), row.path, row.value), row.by or "lead")

    assert missing(answer, row) == [], answer


@each_of(POLICIES)
def test_a_bad_policy_is_refused(ground: Ground, row: Bad) -> None:
    answer = ground.said_of(changed(brought(), row.path, row.value), row.by)

    assert missing(answer, row) == [], answer


@pytest.fixture(scope="module")
def settled(ground: Ground) -> dict[str, Any]:
    """A Model with 1 in Production, 2 in Staging, 3 archived and 4 registered."""
    stages = {
        "production": {"version": 1, "reason": "First."},
        "staging": entries(2),
        "archived": entries(3),
    }
    ground.put(model("settled", policy=AT_ONCE, stages=stages))
    for number in (1, 2, 3, 4):
        ground.put(version("settled", number))
    until(
        lambda: stages_of(ground, "settled") == ["Production", "Staging", "Archived", "Registered"],
        what="every version is where it was asked",
    )
    return ground.read("Model", "settled")


def stages_of(ground: Ground, name: str) -> list[str]:
    """The stages of a Model's versions, by number."""
    own = [found for found in ground.list("ModelVersion") if found["spec"]["model"] == name]
    return [
        found.get("status", {}).get("stage", "")
        for found in sorted(own, key=lambda found: int(found["spec"]["version"]))
    ]


@each_of(STAGES)
def test_a_bad_edit_of_a_model_is_refused(
    ground: Ground, settled: dict[str, Any], row: Bad
) -> None:
    # As it is now: its status goes on for a while, and with it what an edit is based on.
    edited = changed(ground.read("Model", settled["metadata"]["name"]), row.path, row.value)

    answer = ground.said_of_edit("settled", edited, row.by or "lead")

    assert missing(answer, row) == [], answer


@each_of(RECORDS)
def test_a_bad_edit_of_a_version_is_refused(
    ground: Ground, settled: dict[str, Any], row: Bad
) -> None:
    record = ground.read("ModelVersion", "settled-4")

    answer = ground.said_of_edit(
        "settled-4", changed(record, row.path, row.value), row.by or "lead"
    )

    assert missing(answer, row) == [], answer


def test_nobody_but_the_operator_writes_an_attempt(ground: Ground, settled: dict[str, Any]) -> None:
    attempt = ground.read("ModelTransition", "settled-1-production-1")
    again = changed(attempt, "metadata", {"name": "settled-1-production-2"})

    answer = ground.said_of(changed(again, "spec.attempt", 2), "")

    assert "only the operator writes modeltransitions" in answer


def test_nothing_of_what_was_refused_is_there(ground: Ground, settled: dict[str, Any]) -> None:
    now = ground.read("Model", "settled")

    assert now["spec"] == settled["spec"]


# --- decisions ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def voted(ground: Ground) -> dict[str, Any]:
    """An attempt that waits for votes; that of version 2 was rejected before."""
    stages = {"production": {"version": 2, "reason": "Second."}, "staging": entries(1)}
    ground.put(model("voted", policy=VOTED, stages=stages))
    for number in (1, 2):
        ground.put(version("voted", number))
    ground.put(decision(open_attempt(ground, 2), "Reject"), "owner")
    until(lambda: "Rejected" in codes(ground, "voted"), what="version 2 is rejected")
    ground.edit("Model", "voted", "spec.stages.production", {"version": 1, "reason": "First."})
    return open_attempt(ground, 1)


def open_attempt(ground: Ground, number: int) -> dict[str, Any]:
    """The attempt of a version into Production, once its gates have passed."""

    def ready() -> dict[str, Any] | None:
        found = [
            each
            for each in ground.list("ModelTransition")
            if each["metadata"]["name"] == f"voted-{number}-production-1"
            and "evidenceDigest" in each.get("status", {})
        ]
        return found[0] if found else None

    attempt = until(ready, what=f"version {number} waits for votes")
    return attempt or {}


def decision(attempt: Mapping[str, Any], kind: str = "Approve") -> dict[str, Any]:
    """A vote of somebody who looked at the attempt."""
    spec, name = attempt["spec"], attempt["metadata"]["name"]
    return {
        "apiVersion": attempt["apiVersion"],
        "kind": "ModelDecision",
        "metadata": {"generateName": f"{name}-"},
        "spec": {
            "model": spec["model"],
            "version": spec["version"],
            "stage": spec["to"],
            "transition": {"name": name, "uid": attempt["metadata"]["uid"]},
            "decision": kind,
            "reviewed": {
                "subjectDigest": spec["subjectDigest"],
                "policyDigest": spec["policy"]["digest"],
                "evidenceDigest": attempt["status"]["evidenceDigest"],
            },
            "rationale": "Looked at it.",
        },
    }


def test_a_good_decision_is_admitted(ground: Ground, voted: dict[str, Any]) -> None:
    assert ground.said_of(decision(voted), "owner") == ""


@each_of(DECISIONS)
def test_a_bad_decision_is_refused(ground: Ground, voted: dict[str, Any], row: Bad) -> None:
    answer = ground.said_of(changed(decision(voted), row.path, row.value), row.by or "owner")

    assert missing(answer, row) == [], answer


def test_a_vote_on_what_has_ended_is_refused(ground: Ground, voted: dict[str, Any]) -> None:
    ended = ground.read("ModelTransition", "voted-2-production-1")

    answer = ground.said_of(decision(ended), "owner")

    assert "The attempt voted-2-production-1 has ended (Rejected)." in answer


def test_a_decision_is_never_edited(ground: Ground, voted: dict[str, Any]) -> None:
    (cast,) = ground.list("ModelDecision")
    edited = changed(cast, "spec.rationale", "On second thought.")

    answer = ground.said_of_edit(cast["metadata"]["name"], edited, "owner")

    assert "a decision is never edited: create another one" in answer


def codes(ground: Ground, name: str) -> set[str]:
    """Every code that is told of a Model, its versions and its attempts."""
    told = [ground.read("Model", name)]
    for kind in ("ModelVersion", "ModelTransition"):
        told += [each for each in ground.list(kind) if each["spec"]["model"] == name]
    found: set[str] = set()
    for each in told:
        status = each.get("status", {})
        found |= {one["code"] for one in status.get("unmet", ())}
        found |= {gate.get("code", "") for gate in status.get("gates", ())}
        found |= {one["reason"] for one in status.get("conditions", ())}
    return found


# --- held with a reason ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def all_held(ground: Ground) -> dict[str, str]:
    """Everything of the table, applied at once; gives the Models by what is wrong with them."""
    names = {}
    for number, row in enumerate(HELD):
        name = f"held-{number}"
        names[row.title] = name
        policy_name = FILED if row.filed else VOTED
        of_its_own = row.of == "ModelPolicy"
        good = (
            *((policy(f"{ground.namespace}-{number}"),) if of_its_own else ()),
            model(
                name,
                policy=f"{ground.namespace}-{number}" if of_its_own else policy_name,
                stages={"production": {"version": 1, "reason": "Release."}},
            ),
            version(name),
        )
        for thing in good:
            is_bad = thing["kind"] == row.of
            by = "" if thing["kind"] == "ModelPolicy" else "lead"
            ground.put(changed(thing, row.path, row.value) if is_bad else thing, by)
    return names


@pytest.mark.parametrize("row", HELD, ids=lambda row: row.title.replace(" ", "-"))
def test_what_may_become_good_is_held_with_a_reason(
    ground: Ground, all_held: dict[str, str], row: Held
) -> None:
    name = all_held[row.title]

    until(
        lambda: row.code in codes(ground, name),
        what=f"{name} is held: {row.code}",
        within=120,
    )


def test_a_version_of_no_model_waits_for_it(ground: Ground) -> None:
    ground.put(version("orphan"))

    def reasons() -> list[str]:
        status = ground.read("ModelVersion", "orphan-1").get("status", {})
        return [one["reason"] for one in status.get("conditions", ()) if one["type"] == "Ready"]

    until(lambda: reasons() == ["ModelNotFound"], what="the version waits for its Model")


def test_a_good_model_beside_them_all_settles(
    ground: Ground, all_held: dict[str, str], tmp_path: Path
) -> None:
    file = model_file(tmp_path)
    uri = ground.operator.upload(file, f"{ground.namespace}/good/model.onnx")
    artifact = {"uri": uri, "digest": file_digest([file.read_bytes()]), "format": "ONNX"}
    # The file has a signature of its own, and no need of one that is written beside it.
    record = changed(version("good", artifact=artifact), "spec.signature", GONE)

    stages = {"production": {"version": 1, "reason": "Release."}}
    ground.put(model("good", policy=FILED, stages=stages))
    ground.put(record)

    until(
        lambda: stages_of(ground, "good") == ["Production"],
        what="the good one is in Production",
        within=120,
    )


def test_nothing_of_the_operator_was_started_anew(ground: Ground, all_held: dict[str, str]) -> None:
    # One that an upgrade took away meanwhile is gone; none is new, or was started again.
    assert restarts(ground.operator).items() <= ground.pods.items()
