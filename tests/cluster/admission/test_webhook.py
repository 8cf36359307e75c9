"""What people meet while the webhook answers: stamps that no manifest mentions, and sentences."""

import copy
import json
import subprocess
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from modelwarden.admission.models import LARGEST
from tests.cluster.running import RefusedError as KubectlRefusedError
from tests.cluster.running import RunningCluster, until
from tests.domain.edit_cases import shown, staged

from .callers import EVERYBODY, GROUP, Person, RefusedError
from .conftest import EDITOR
from .objects import DIGEST, binding, decision, deployment, model, role, status_of, transition
from .objects import version as record
from .serving import KINDS, Process, webhook

EVERYTHING = "everything"
STAGED = staged(1, staging=(2, 3))


@pytest.fixture(scope="module")
def answering(bare_cluster: RunningCluster) -> Iterator[Process]:
    with webhook(bare_cluster) as process:
        yield process


@pytest.fixture(scope="module", autouse=True)
def home(bare_cluster: RunningCluster, place: str, answering: Process) -> str:
    """A namespace in which the engineer may do everything, the auditor only edit."""
    rule = {"apiGroups": ["modelwarden.io", "apps"], "resources": ["*"], "verbs": ["*"]}
    everything = binding(EVERYTHING)
    users = ("engineer", "scientist", "owner")
    everything["subjects"] += [_user(name) for name in users]
    editors = {**binding(EDITOR), "subjects": [_user("auditor"), *binding(EDITOR)["subjects"]]}
    bare_cluster.apply(role(EVERYTHING, rule), everything, editors, namespace=place)
    return place


def _user(name: str) -> dict[str, str]:
    group = "rbac.authorization.k8s.io"
    return {"apiGroup": group, "kind": "User", "name": f"{name}@example.com"}


@pytest.fixture
def models(home: str) -> str:
    return f"{GROUP}/namespaces/{home}/models"


@pytest.fixture
def alice(admin: Person) -> Person:
    return admin.named("alice@example.com", EDITOR, EVERYTHING)


@pytest.fixture
def bob(admin: Person) -> Person:
    return admin.named("bob@example.com", EDITOR, EVERYTHING)


@pytest.fixture
def stored(
    request: pytest.FixtureRequest, admin: Person, alice: Person, operator: Person, models: str
) -> Iterator[Any]:
    """A Model of alice's with a version in Production and two in Staging."""
    alice.create(models, model("stored", STAGED))
    yield operator.merge(f"{models}/stored/status", {"status": status_of(shown(1, staging=(2, 3)))})
    admin.delete(f"{models}/stored")


def authors(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """Who is the author of what."""
    return {item["by"]["username"]: item["of"] for item in found["spec"].get("authors", ())}


def test_whoever_creates_a_model_is_the_author_of_all_of_it(stored: Any, alice: Person) -> None:
    (item,) = stored["spec"]["authors"]

    assert item["by"] == alice.caller.to_json()
    assert item["of"] == [
        "stages.production", "stages.staging/2", "stages.staging/3", "governed",
    ]  # fmt: skip


def test_one_request_that_changes_two_parts_is_one_item(
    stored: Any, bob: Person, models: str
) -> None:
    changed = bob.merge(f"{models}/stored", {"spec": staged(4, staging=(2, 5), registered=(3,))})

    assert authors(changed) == {
        "alice@example.com": ["stages.staging/2", "governed"],
        "bob@example.com": [
            "stages.production", "stages.staging/5", "stages.staging/3", "stages.registered/3",
        ],
    }  # fmt: skip


@pytest.mark.parametrize("written", [[], None], ids=str)
def test_a_stamp_that_is_taken_out_is_put_back(
    stored: Any, bob: Person, models: str, written: Any
) -> None:
    changed = bob.merge(f"{models}/stored", {"spec": {"authors": written}})

    assert changed["spec"] == stored["spec"]
    assert changed["metadata"]["generation"] == stored["metadata"]["generation"]


def test_a_forged_stamp_is_written_over(stored: Any, bob: Person, models: str) -> None:
    forged = copy.deepcopy(stored["spec"]["authors"])
    forged[0]["by"]["username"] = "bob@example.com"

    changed = bob.merge(f"{models}/stored", {"spec": {"authors": forged}})
    move = {"authors": forged, **staged(1, staging=(2,), registered=(3,))}
    moved = bob.merge(f"{models}/stored", {"spec": move})

    assert changed["spec"] == stored["spec"]
    assert authors(moved)["bob@example.com"] == ["stages.staging/3", "stages.registered/3"]


def test_replacing_without_a_stamp_keeps_it(stored: Any, bob: Person, models: str) -> None:
    version = stored["metadata"]["resourceVersion"]

    put = bob.put(f"{models}/stored", model("stored", STAGED, resourceVersion=version))

    assert put["spec"] == stored["spec"]
    assert put["metadata"]["generation"] == stored["metadata"]["generation"]


def test_an_edit_of_labels_changes_no_stamp(stored: Any, bob: Person, models: str) -> None:
    changed = bob.merge(f"{models}/stored", {"metadata": {"labels": {"team": "risk"}}})

    assert changed["spec"] == stored["spec"]
    assert changed["metadata"]["generation"] == stored["metadata"]["generation"]


def test_nobody_owns_the_stamp(stored: Any) -> None:
    owned = json.dumps(stored["metadata"]["managedFields"])

    assert "f:authors" not in owned


def test_a_dry_run_writes_nothing_and_shows_the_stamp(
    stored: Any, bob: Person, admin: Person, models: str
) -> None:
    shown_ = bob.merge(f"{models}/stored", {"spec": staged(9)}, dry_run=True)

    assert authors(shown_)["bob@example.com"][0] == "stages.production"
    kept = admin.get(f"{models}/stored")
    assert kept["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]


WAYS = {
    "client-side": ("apply",),
    "server-side": (
        "apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_manifest_without_a_stamp_is_applied_once(
    bare_cluster: RunningCluster, admin: Person, models: str, home: str, way: str
) -> None:
    name = f"applied-{way}"
    manifest = yaml.safe_dump(model(name, STAGED))

    def apply(who: str, text: str) -> str:
        return bare_cluster.kubectl(who, f"-n={home}", *WAYS[way], "-f", "-", given=text)

    apply("engineer", manifest)
    first = admin.get(f"{models}/{name}")
    said = [apply("engineer", manifest), apply("auditor", manifest), apply("owner", manifest)]
    again = admin.get(f"{models}/{name}")

    if way == "client-side":
        assert all("unchanged" in line for line in said)
    assert again["spec"] == first["spec"]
    assert again["metadata"]["generation"] == first["metadata"]["generation"] == 1
    assert "engineer@example.com" in authors(first)


def test_an_unchanged_manifest_shows_no_difference_to_anybody(
    bare_cluster: RunningCluster, stored: Any, home: str
) -> None:
    text = yaml.safe_dump(model("stored", STAGED))

    for how in ((), ("--server-side", "--force-conflicts")):
        command = bare_cluster.command("auditor", f"-n={home}", "diff", *how, "-f", "-")
        outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)

        assert (outcome.returncode, outcome.stdout) == (0, ""), outcome.stderr


def test_a_difference_shows_who_would_be_its_author(
    bare_cluster: RunningCluster, stored: Any, home: str
) -> None:
    text = yaml.safe_dump(model("stored", staged(4, staging=(2, 3))))
    command = bare_cluster.command("engineer", f"-n={home}", "diff", "-f", "-")

    outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    assert outcome.returncode == 1
    assert "engineer@example.com" in outcome.stdout


def test_a_difference_that_is_not_allowed_says_why(
    bare_cluster: RunningCluster, stored: Any, home: str
) -> None:
    text = yaml.safe_dump(model("stored", staged(4, staging=(2, 3))))
    command = bare_cluster.command("auditor", f"-n={home}", "diff", "-f", "-")

    outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    assert outcome.returncode > 1
    sentence = "auditor@example.com lacks the verb promote on models/production for stored"
    assert sentence in outcome.stderr


def test_a_patch_by_operations_is_stamped(
    bare_cluster: RunningCluster, stored: Any, home: str, models: str, admin: Person
) -> None:
    change = json.dumps(
        [
            {"op": "add", "path": "/spec/displayName", "value": "Fraud"},
            {"op": "replace", "path": "/spec/stages/staging/0/reason", "value": "another"},
        ]
    )

    words = ("patch", "model", "stored", "--type=json", f"-p={change}")
    bare_cluster.kubectl("engineer", f"-n={home}", *words)

    found = authors(admin.get(f"{models}/stored"))
    assert found["engineer@example.com"] == ["stages.staging/2"]


def test_a_login_with_too_many_groups_hears_it(admin: Person, stored: Any, models: str) -> None:
    groups = (f"group-{number}" for number in range(602))
    crowd = admin.named("crowd@example.com", EDITOR, EVERYTHING, *groups)

    crowd.merge(f"{models}/stored", {"metadata": {"labels": {"a": "b"}}}, dry_run=True)

    with pytest.raises(RefusedError, match="is in 605 groups, a stamp holds 512") as refusal:
        crowd.merge(f"{models}/stored", {"spec": staged(9)}, dry_run=True)
    assert refusal.value.code == 403


def test_a_model_that_grows_too_large_hears_it(admin: Person, models: str) -> None:
    reasons = {number: f"{number} " + "x" * 900 for number in range(1, 17)}
    admin.named("a", EDITOR, EVERYTHING).create(models, model("large", staged()))

    def grow(number: int) -> None:
        groups = (f"{number}-{group}-{'g' * 190}" for group in range(500))
        crowd = admin.named(f"crowd-{number}@example.com", EDITOR, EVERYTHING, *groups)
        wanted = staged(staging=tuple(range(1, number + 1)), reasons=reasons)
        crowd.merge(f"{models}/large", {"spec": wanted})

    with pytest.raises(RefusedError, match=f"and {LARGEST:,} is the most") as refusal:
        deque(map(grow, range(1, 17)), maxlen=0)
    assert refusal.value.code == 403

    admin.merge(f"{models}/large", {"spec": {"stages": None}})


@pytest.fixture(scope="module")
def attempt(operator: Person, home: str) -> dict[str, Any]:
    """An attempt of a version that the scientist trained, its gates passed."""
    body = transition(
        "fraud-detector",
        1,
        owners=[
            {"kind": "User", "name": "owner@example.com"},
            {"kind": "User", "name": "scientist@example.com"},
        ],
        excluded=[{"name": "scientist@example.com", "as": "Trainer"}],
    )
    path = f"{GROUP}/namespaces/{home}/modeltransitions"
    operator.create(path, body)
    ready = {"status": {"evidenceDigest": DIGEST}}
    opened: dict[str, Any] = operator.merge(f"{path}/{body['metadata']['name']}/status", ready)
    return opened


def about(attempt: Mapping[str, Any], kind: str = "Approve", **spec: Any) -> dict[str, Any]:
    named = {"name": attempt["metadata"]["name"], "uid": attempt["metadata"]["uid"]}
    return decision(kind, **{"transition": named, **spec})


def vote(cluster: RunningCluster, who: str, home: str, body: Mapping[str, Any]) -> str:
    return cluster.kubectl(who, f"-n={home}", "create", "-f", "-", given=yaml.safe_dump(body))


def test_the_trainer_may_not_approve_and_hears_why(
    bare_cluster: RunningCluster, attempt: dict[str, Any], home: str
) -> None:
    with pytest.raises(KubectlRefusedError) as refusal:
        vote(bare_cluster, "scientist", home, about(attempt))

    assert (
        "scientist@example.com trained fraud-detector 1 and may not approve it. "
        "Ask another owner or reviewer." in str(refusal.value)
    )


def test_nor_may_the_trainers_other_login_with_every_right(
    bare_cluster: RunningCluster, attempt: dict[str, Any], home: str
) -> None:
    with pytest.raises(KubectlRefusedError) as refusal:
        vote(bare_cluster, "platform", home, about(attempt))

    assert (
        "platform@example.com, another login of scientist@example.com, trained "
        "fraud-detector 1 and may not approve it." in str(refusal.value)
    )


def test_another_owner_may_and_is_stamped(
    bare_cluster: RunningCluster, admin: Person, attempt: dict[str, Any], home: str
) -> None:
    said = vote(bare_cluster, "owner", home, about(attempt))

    name = said.split()[0].partition("/")[2]
    found = admin.get(f"{GROUP}/namespaces/{home}/modeldecisions/{name}")
    assert found["spec"]["by"]["username"] == "owner@example.com"
    assert found["spec"]["by"]["groups"] == ["model-owners", EVERYBODY]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stage": "Staging"}, "leads to Production, not to Staging"),
        ({"version": 2}, "is an attempt of fraud-detector 1, not of fraud-detector 2"),
        ({"transition": {"name": "fraud-detector-1-production-1", "uid": "old"}},
         "another attempt that was also called"),
        ({"transition": {"name": "fraud-detector-1-production-7", "uid": "u"}},
         "There is no attempt fraud-detector-1-production-7"),
        ({"reviewed": {"subjectDigest": DIGEST, "policyDigest": DIGEST,
                       "evidenceDigest": "sha256:" + "1" * 64}}, "reviewed other evidence"),
    ],
    ids=str,
)  # fmt: skip
def test_a_vote_about_something_else_is_refused(
    admin: Person, attempt: dict[str, Any], home: str, *, change: dict[str, Any], sentence: str
) -> None:
    owner = admin.named("owner@example.com", EDITOR, EVERYTHING)
    collection = f"{GROUP}/namespaces/{home}/modeldecisions"

    with pytest.raises(RefusedError, match=sentence):
        owner.create(collection, about(attempt, **change), dry_run=True)


def test_a_stamp_of_another_voter_is_written_over(
    admin: Person, attempt: dict[str, Any], home: str
) -> None:
    owner = admin.named("owner@example.com", EDITOR, EVERYTHING)
    forged = about(attempt, by={"username": "reviewer@example.com"})

    created = owner.create(f"{GROUP}/namespaces/{home}/modeldecisions", forged, dry_run=True)

    assert created["spec"]["by"] == owner.caller.to_json()


def test_a_version_names_its_registrant_and_who_noted_what(
    alice: Person, bob: Person, home: str
) -> None:
    collection = f"{GROUP}/namespaces/{home}/modelversions"
    uri = f"s3://models/{home}/noted/1/"
    artifact = {"uri": uri, "digest": DIGEST, "format": "ONNX"}

    made = alice.create(collection, record("noted", 1, artifact=artifact))
    noted = bob.merge(f"{collection}/noted-1", {"spec": {"notes": {"limitations": ["None."]}}})
    labelled = alice.merge(f"{collection}/noted-1", {"metadata": {"labels": {"a": "b"}}})

    assert made["spec"]["registeredBy"] == alice.caller.to_json()
    assert noted["spec"]["registeredBy"] == alice.caller.to_json()
    assert noted["spec"]["notesBy"] == labelled["spec"]["notesBy"] == bob.caller.to_json()


def test_a_uri_that_says_nothing_is_refused(alice: Person, home: str) -> None:
    artifact = {"uri": "s3://10.0.0.1/model", "digest": DIGEST, "format": "ONNX"}

    with pytest.raises(RefusedError, match="does not say where an artifact lies"):
        alice.create(
            f"{GROUP}/namespaces/{home}/modelversions",
            record("evil", 1, artifact=artifact),
            dry_run=True,
        )


def test_a_policy_below_the_floor_is_admitted_with_a_warning(bare_cluster: RunningCluster) -> None:
    gates = [{"name": "artifact", "artifact": {}}]
    steps = [{"to": stage, "gates": gates} for stage in ("Registered", "Staging", "Production")]
    policy = {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": "low"},
        "spec": {"allowedFormats": ["ONNX"], "steps": steps},
    }
    command = bare_cluster.command("platform", "create", "--dry-run=server", "-f", "-")

    outcome = subprocess.run(
        command, input=yaml.safe_dump(policy), capture_output=True, text=True, check=False
    )

    assert outcome.returncode == 0
    assert "Warning: PolicyBelowFloor: Policy low is below the floor for Staging" in outcome.stderr


def test_without_the_webhook_nobody_moves_anything_and_the_operator_still_writes(
    answering: Process,
    alice: Person,
    operator: Person,
    stored: Any,
    home: str,
    models: str,
) -> None:
    """The server is gone and its configuration stands: requests about our kinds are refused."""
    answering.stop()
    try:
        assert _refused(alice, models)
        operator.merge(f"{models}/stored/status", {"status": {"latestVersion": 2}})
        operator.merge(f"{models}/stored", {"metadata": {"labels": {"modelwarden.io/x": "y"}}})
        alice.create(f"/apis/apps/v1/namespaces/{home}/deployments", deployment("free"))
    finally:
        answering.start()
    until(lambda: not _refused(alice, models), what="the webhook's return")


def _refused(alice: Person, models: str) -> bool:
    try:
        alice.merge(f"{models}/stored", {"metadata": {"labels": {"a": "b"}}}, dry_run=True)
    except RefusedError as refusal:
        return "failed calling webhook" in str(refusal)
    return False


def test_a_second_process_serves_the_same_authority(
    bare_cluster: RunningCluster, answering: Process
) -> None:
    before = _bundles(bare_cluster)
    settings = answering.settings
    webhook_ = settings.webhook.model_copy(update={"port": settings.webhook.port + 1})
    http = settings.http.model_copy(update={"port": settings.http.port + 1})
    other = Process(bare_cluster, settings.model_copy(update={"webhook": webhook_, "http": http}))

    other.start()
    try:
        until(lambda: _is_ready(http.port), what="the second process")
    finally:
        other.stop()

    assert _bundles(bare_cluster) == before


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _bundles(cluster: RunningCluster) -> set[str]:
    found = [cluster.get(kind, "modelwarden") for kind in KINDS]
    return {one["webhooks"][0]["clientConfig"]["caBundle"] for one in found}
