"""What the API server refuses by the CRDs alone, with nothing else of ours running."""

import json
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from modelwarden.resources.kinds import KINDS
from modelwarden.resources.model_version import ModelVersionSpec
from tests.cluster import running
from tests.cluster.running import RefusedError, RunningCluster, until
from tests.resources import manifests
from tests.resources.manifests import DIGEST, OTHER_DIGEST, REVIEWED, TRANSITION

CRDS = Path(__file__).parents[2] / "crds"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
JOB = {"image": f"registry.example.com/gate@{DIGEST}"}
SUPERSEDES = {"version": 2, "reason": "Better."}

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningCluster]:
    """A cluster of its own, for the policies and webhooks of a chart would answer first."""
    options = request.config.option
    name, kind = f"{options.cluster_name}-crds", Path(options.kind_bin)
    kubeconfig = tmp_path_factory.mktemp("crds") / "kubeconfig"
    ran = running.runs(name, kind=kind)
    started = running.start(name, kubeconfig, kind=kind)
    try:
        started.kubectl(None, "apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
        until(lambda: _established(started), what="every CRD is established")
        yield started
    finally:
        if not ran:
            command = (kind, "delete", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}")
            subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def home(api: RunningCluster) -> Iterator[str]:
    """A namespace for objects that are only tried, never stored."""
    with api.namespace("tried") as name:
        yield name


@pytest.fixture
def room(api: RunningCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for the objects of one test."""
    with api.namespace(request.node.originalname.removeprefix("test_")) as name:
        yield name


def _crds(api: RunningCluster) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("customresourcedefinitions")["items"]
    return [item for item in items if item["spec"]["group"] == "modelwarden.io"]


def _established(api: RunningCluster) -> bool:
    holding = [
        # Of a CRD that was made just now there are none, and that is written as null.
        {c["type"] for c in crd.get("status", {}).get("conditions") or () if c["status"] == "True"}
        for crd in _crds(api)
    ]
    return len(holding) == len(KINDS) and all("Established" in types for types in holding)


def tried(api: RunningCluster, namespace: str, thing: dict[str, Any]) -> str:
    """What the server says of creating the object, which is not stored; nothing if it would."""
    words = ("create", "--dry-run=server", f"--namespace={namespace}", "-f", "-")
    return said(api, *words, given=thing)


def edited(api: RunningCluster, namespace: str, thing: dict[str, Any]) -> str:
    """What the server says of replacing the stored object; nothing if it did."""
    return said(api, "replace", f"--namespace={namespace}", "-f", "-", given=thing)


def said(api: RunningCluster, *words: str, given: dict[str, Any]) -> str:
    try:
        api.kubectl(None, *words, given=json.dumps(given))
    except RefusedError as refusal:
        return str(refusal)
    return ""


def stored(api: RunningCluster, namespace: str, thing: dict[str, Any]) -> dict[str, Any]:
    """The object as the server stored it."""
    api.kubectl(None, "create", f"--namespace={namespace}", "-f", "-", given=json.dumps(thing))
    return read(api, namespace, thing)


def read(api: RunningCluster, namespace: str, thing: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(
        f"--namespace={namespace}", thing["kind"].lower(), thing["metadata"]["name"]
    )
    return found


def show(api: RunningCluster, namespace: str, thing: dict[str, Any], status: Any) -> None:
    """Writes the status as the operator would."""
    words = ("patch", thing["kind"].lower(), thing["metadata"]["name"], "--type=merge")
    patch = f"--patch={json.dumps({'status': status})}"
    api.kubectl(None, *words, f"--namespace={namespace}", "--subresource=status", patch)


# --- the kinds -----------------------------------------------------------------------------------


def test_every_schema_is_structural(api: RunningCluster) -> None:
    conditions = {
        crd["spec"]["names"]["kind"]: {
            c["type"]: c["status"] for c in crd["status"]["conditions"] if c["status"] == "True"
        }
        for crd in _crds(api)
    }

    fine = {"NamesAccepted": "True", "Established": "True"}
    assert conditions == dict.fromkeys(KINDS, fine)


@EVERY_KIND
def test_what_is_written_is_what_is_stored(api: RunningCluster, room: str, kind: str) -> None:
    for thing in manifests.complete(kind):
        kept = stored(api, room, thing)
        if "status" in thing:
            show(api, room, thing, thing["status"])

        whole = read(api, room, thing)
        api.kubectl(None, "delete", f"--namespace={room}", kind.lower(), thing["metadata"]["name"])
        assert kept["spec"] == thing["spec"]
        assert {part: whole[part] for part in thing if part != "metadata"} == {
            part: thing[part] for part in thing if part != "metadata"
        }


def test_a_new_object_is_not_taken_for_a_ready_one(api: RunningCluster, room: str) -> None:
    statuses = [
        stored(api, room, thing)["status"]
        for thing in (manifests.model(), manifests.version(), manifests.transition())
    ]

    assert statuses == [{"observedGeneration": -1}] * 3


def test_a_status_cannot_be_created(api: RunningCluster, room: str) -> None:
    (thing,) = manifests.complete("ModelVersion")

    assert stored(api, room, thing)["status"] == {"observedGeneration": -1}


def test_the_columns_tell_the_story(api: RunningCluster, room: str) -> None:
    for kind in ("Model", "ModelVersion", "ModelTransition"):
        (thing,) = manifests.complete(kind)
        stored(api, room, thing)
        show(api, room, thing, thing["status"])

    words = ("get", "models,modelversions,modeltransitions", f"--namespace={room}")
    listing = api.kubectl(None, *words).split("\n")
    columns = [line.split("   ") for line in listing if line.startswith("NAME")]
    headings = [[word.strip() for word in line if word.strip()] for line in columns]

    assert headings == [
        ["NAME", "PRODUCTION", "SINCE", "STAGING", "LATEST", "READY", "SETTLED", "WAITING", "AGE"],
        ["NAME", "LABEL", "STAGE", "SINCE", "VALIDATED", "IN USE", "READY", "AGE"],
        [
            "NAME",
            "KIND",
            "FROM",
            "TO",
            "GATES",
            "APPROVALS",
            "OUTCOME",
            "REASON",
            "REQUESTER",
            "AGE",
        ],
    ]


def test_a_version_is_found_by_its_fields(api: RunningCluster, room: str) -> None:
    stored(api, room, manifests.version(3))
    stored(api, room, manifests.version(4))

    selector = "--field-selector=spec.model=fraud-detector,spec.version=4"
    found = api.get(f"--namespace={room}", "mdv", selector)["items"]

    assert [one["metadata"]["name"] for one in found] == ["fraud-detector-4"]


def test_all_our_kinds_have_one_category(api: RunningCluster, room: str) -> None:
    stored(api, room, manifests.model())
    stored(api, room, manifests.version())

    found = api.kubectl(None, "get", "modelwarden", f"--namespace={room}", "--output=name")

    assert found.split() == [
        "model.modelwarden.io/fraud-detector",
        "modelversion.modelwarden.io/fraud-detector-3",
    ]


# --- Model ---------------------------------------------------------------------------------------


def entries(*versions: int) -> list[dict[str, Any]]:
    return [{"version": version, "reason": "Because."} for version in versions]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"owners": []}, "should have at least 1 items"),
        ({"owners": [{"kind": "User", "name": "a"}] * 2}, "Duplicate value"),
        ({"affectsPeople": None}, "spec.affectsPeople: Required value"),
        ({"aliases": [{"name": "latest", "version": 1}]}, "v<number> are derived"),
        ({"aliases": [{"name": "champion", "version": 1}]}, "v<number> are derived"),
        ({"aliases": [{"name": "v12", "version": 1}]}, "v<number> are derived"),
        ({"aliases": [{"name": "best", "version": n} for n in (1, 2)]}, "Duplicate value"),
        ({"metrics": [{"name": "auc", "min": 0.9}]}, "spec.metrics[0].min: Invalid value"),
        ({"metrics": [{"name": "auc", "min": ".9"}]}, "spec.metrics[0].min: Invalid value"),
        ({"metrics": [{"name": "auc"}]}, "or it rules nothing"),
        ({"metrics": [{"name": "auc", "min": "1", "critical": True}]}, "needs a direction"),
        (
            {"metrics": [{"name": "auc", "segments": [{"by": "age"}]}]},
            "a segment rule needs min or max",
        ),
        (
            {"metrics": [{"name": "auc", "segments": [{"by": "age", "min": "1"}] * 2}]},
            "two segment rules by one attribute",
        ),
        (
            {"metrics": [{"name": "rate", "fairness": {"by": "gender", "minRatio": "1.2"}}]},
            "spec.metrics[0].fairness.minRatio: Invalid value",
        ),
        (
            {
                "serving": [
                    {"stage": stage, "deployment": {"name": "api"}}
                    for stage in ("Production", "Staging")
                ]
            },
            "two entries for one Deployment",
        ),
        ({"automation": {"to": "Production", "keep": 1}}, 'supported values: "Staging"'),
        ({"stages": {"staging": entries(*range(1, 18))}}, "must have at most 16 items"),
        ({"stages": {"archived": entries(*range(1, 34))}}, "must have at most 32 items"),
        ({"stages": {"staging": entries(1, 1)}}, "Duplicate value"),
        (
            {"stages": {"staging": entries(1), "archived": entries(1)}},
            "staging and archived name the same version",
        ),
        (
            {"stages": {"staging": entries(1), "registered": entries(1)}},
            "staging and registered name the same version",
        ),
        (
            {"stages": {"archived": entries(1), "registered": entries(1)}},
            "archived and registered name the same version",
        ),
        (
            {"stages": {"production": SUPERSEDES, "archived": entries(2)}},
            "production and archived name the same version",
        ),
        (
            {"stages": {"production": SUPERSEDES, "registered": entries(2)}},
            "production and registered name the same version",
        ),
        ({"stages": {"production": {"version": 2, "reason": " "}}}, "stages.production.reason"),
    ],
)
def test_a_model_is_refused(
    api: RunningCluster, home: str, spec: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.model(**spec))


@pytest.mark.parametrize(
    "spec",
    [
        {"aliases": [{"name": "v2-candidate", "version": 1}]},
        {"stages": {"production": SUPERSEDES, "staging": entries(2, 3)}},
        {"stages": {}, "serving": [], "metrics": [], "authors": []},
    ],
)
def test_a_model_is_taken(api: RunningCluster, home: str, spec: dict[str, Any]) -> None:
    assert tried(api, home, manifests.model(**spec)) == ""


@pytest.mark.parametrize("name", ["a" * 41, "fraud.v2", "a" * 40])
def test_a_models_name_leaves_room_for_the_names_made_of_it(
    api: RunningCluster, home: str, name: str
) -> None:
    answer = tried(api, home, manifests.model(name))

    assert ("metadata.name: " in answer) == (name != "a" * 40)


def test_another_version_needs_a_reason_of_its_own(api: RunningCluster, room: str) -> None:
    model = manifests.model(stages={"production": {"version": 1, "reason": "First."}})
    stored(api, room, model)

    def ask(version: int, reason: str) -> str:
        model["spec"]["stages"]["production"] = {"version": version, "reason": reason}
        return edited(api, room, model)

    assert "another version needs a reason of its own" in ask(2, "First.")
    assert ask(1, "First, and best.") == ""
    assert ask(2, "Second.") == ""


IN_PRODUCTION = {
    "version": 1,
    "artifact": {"uri": "s3://models/risk/1", "digest": DIGEST},
    "since": "2026-11-20T10:00:00Z",
    "ledgerIndex": 1,
}
FIRST = {"version": 1, "reason": "First."}


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (None, "the version in Production must be named somewhere"),
        ({"staging": entries(2, 3)}, "the version in Production must be named somewhere"),
        ({"production": FIRST}, "a version in Staging must be named somewhere"),
        ({"production": FIRST, "staging": entries(3)}, "a version in Staging must be named"),
        # 3 is asked for and not there yet, 4 got there by automation: nothing to lose.
        ({"production": FIRST, "staging": entries(2)}, ""),
        ({"production": SUPERSEDES, "staging": entries(3)}, ""),
        ({"production": {"version": 3, "reason": "Third."}, "staging": entries(2)}, ""),
        ({"staging": entries(1, 2)}, ""),
        ({"staging": entries(2), "archived": entries(1)}, ""),
        ({"staging": entries(2), "registered": entries(1)}, ""),
        ({"production": FIRST, "registered": entries(2)}, ""),
        ({"production": FIRST, "archived": entries(2)}, ""),
    ],
)
def test_absence_moves_nothing(
    api: RunningCluster, room: str, after: dict[str, Any] | None, sentence: str
) -> None:
    model = manifests.model(stages={"production": FIRST, "staging": entries(2, 3)})
    stored(api, room, model)
    show(api, room, model, {"stages": {"production": IN_PRODUCTION, "staging": [2, 4]}})

    model["spec"].pop("stages")
    if after is not None:
        model["spec"]["stages"] = after
    answer = edited(api, room, model)

    assert (sentence in answer) if sentence else (answer == "")


def test_a_request_can_be_taken_back(api: RunningCluster, room: str) -> None:
    model = manifests.model(stages={"production": SUPERSEDES})
    stored(api, room, model)
    show(api, room, model, {"stages": {"production": IN_PRODUCTION}})

    model["spec"].pop("stages")

    assert edited(api, room, model) == ""


def test_the_operators_status_is_never_refused(api: RunningCluster, room: str) -> None:
    model = manifests.model(stages={"production": FIRST, "staging": entries(2)})
    stored(api, room, model)
    show(api, room, model, {"stages": {"production": IN_PRODUCTION, "staging": [2]}})

    show(api, room, model, {"stages": {"production": None, "staging": []}})

    assert read(api, room, model)["status"]["stages"] == {"staging": []}


def test_the_largest_model_costs_no_rule_too_much(api: RunningCluster, room: str) -> None:
    reason = "x" * 1024
    stages = {
        "production": {"version": 1, "reason": reason},
        "staging": [{"version": n, "reason": reason} for n in range(2, 18)],
        "archived": [{"version": n, "reason": reason} for n in range(100, 132)],
        "registered": [{"version": n, "reason": reason} for n in range(200, 216)],
    }
    stamp = {"username": "u" * 512, "uid": "u" * 256, "groups": ["g" * 27] * 512}
    parts = ["stages.production", *(f"stages.staging/{n}" for n in range(2, 18))]
    authors = [{"id": f"id-{part}", "by": stamp, "of": [part]} for part in parts]
    model = manifests.model(
        stages=stages,
        authors=authors,
        serving=[{"stage": "Production", "deployment": {"name": f"d{n}"}} for n in range(16)],
    )
    stored(api, room, model)
    shown = {"staging": list(range(2, 66)), "archived": list(range(100, 612))}
    show(api, room, model, {"stages": {"production": IN_PRODUCTION, **shown}})

    model["spec"]["stages"]["registered"][0]["reason"] = "Another."

    assert edited(api, room, model) == ""


# --- ModelVersion --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fraud-detector-4", "fraud-detector-03", "fraud-3"])
def test_a_versions_name_is_its_model_and_its_number(
    api: RunningCluster, home: str, name: str
) -> None:
    version = manifests.version(3)
    version["metadata"]["name"] = name

    assert "metadata.name must be <spec.model>-<spec.version>" in tried(api, home, version)


def artifact(**fields: Any) -> dict[str, Any]:
    return {"uri": "s3://models/risk/3/", "digest": DIGEST, "format": "ONNX", **fields}


def lineage(**fields: Any) -> dict[str, Any]:
    return {"lineage": fields}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"artifact": artifact(uri="https://models.example.com/3")}, "spec.artifact.uri"),
        ({"artifact": artifact(uri="s3://models/risk/../other/3")}, "uri must not have . or .."),
        ({"artifact": artifact(uri="s3://models/risk/..")}, "uri must not have . or .."),
        ({"artifact": artifact(uri="s3://models/./3/")}, "uri must not have . or .."),
        ({"artifact": artifact(digest="sha256:abc")}, "spec.artifact.digest"),
        ({"artifact": artifact(digest="md5:" + "a" * 32)}, "spec.artifact.digest"),
        ({"artifact": artifact(format="Pickle")}, "spec.artifact.format: Unsupported value"),
        ({"metrics": [{"name": "auc", "value": 0.9}]}, "spec.metrics[0].value: Invalid value"),
        ({"metrics": [{"name": "auc", "value": "1e-5"}]}, "spec.metrics[0].value: Invalid value"),
        (
            {"metrics": [{"name": "a", "value": "1", "segment": {str(n): "" for n in range(5)}}]},
            "must have at most 4 items",
        ),
        (
            {"metrics": [{"name": "a", "value": "1", "segment": {"k" * 129: "v"}}]},
            "a key has at most 128 characters",
        ),
        ({"hyperparameters": {"k" * 129: "v"}}, "a key has at most 128 characters"),
        ({"hyperparameters": {"depth": 6}}, "spec.hyperparameters.depth: Invalid value"),
        (lineage(code={"repository": "git", "commit": "abc"}), "spec.lineage.code.commit"),
        (lineage(baseModels=[{}]), "a base model is either a uri, or a model of ours"),
        (
            lineage(baseModels=[{"uri": "x://y", "model": "m", "version": 1}]),
            "a base model is either a uri, or a model of ours",
        ),
        (lineage(baseModels=[{"model": "m"}]), "a base model of ours needs model and version"),
        (
            lineage(baseModels=[{"uri": "x://y", "namespace": "n"}]),
            "namespace is of a model of ours",
        ),
        ({"trainedBy": [{"kind": "Group", "name": "g"}]}, "spec.trainedBy[0].kind"),
        ({"version": 1_000_000}, "spec.version: Invalid value"),
    ],
)
def test_a_version_is_refused(
    api: RunningCluster, home: str, spec: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.version(**spec))


MAY_CHANGE = {"notes", "notesBy"}
RECORD = [field for field in ModelVersionSpec.field_names() if field not in MAY_CHANGE]


def changed(value: Any) -> Any:
    """The same shape with one small difference."""
    match value:
        case str() if value.startswith("sha256:"):
            return OTHER_DIGEST
        case str():
            return value + "x"
        case int():
            return value + 1
        case list():
            return value[:-1]
        case {"uri": _, "digest": digest}:
            return {**value, "digest": changed(digest)}
        case {"datasets": datasets}:
            return {**value, "datasets": [{**datasets[0], "version": "2026-11-01"}]}
        case {"durationSeconds": seconds}:
            return {**value, "durationSeconds": seconds + 1}
        case {"username": name}:
            return {**value, "username": changed(name)}
        case _:
            return {**value, "added": "x"} if "max_depth" in value else {**value, "outputs": []}


@pytest.fixture(scope="module")
def record(api: RunningCluster, home: str) -> dict[str, Any]:
    """A stored version that has every field."""
    (thing,) = manifests.complete("ModelVersion")
    thing.pop("status")
    stored(api, home, thing)
    return thing


@pytest.mark.parametrize("field", RECORD)
def test_a_field_of_the_record_never_changes(
    api: RunningCluster, home: str, record: dict[str, Any], field: str
) -> None:
    other, less = deepcopy(record), deepcopy(record)
    other["spec"][field] = changed(other["spec"][field])
    less["spec"].pop(field)

    sentence = f"spec.{field} is part of the record and never changes"
    required = field in {"model", "version", "artifact"}
    assert sentence in edited(api, home, other)
    assert ("Required value" if required else sentence) in edited(api, home, less)


@pytest.mark.parametrize("field", [f for f in RECORD if f not in {"model", "version", "artifact"}])
def test_a_field_of_the_record_is_never_added(
    api: RunningCluster, home: str, record: dict[str, Any], field: str
) -> None:
    number = 100 + RECORD.index(field)
    bare = manifests.version(number)
    stored(api, home, bare)

    bare["spec"][field] = record["spec"][field]

    assert f"spec.{field} is part of the record and never changes" in edited(api, home, bare)


def test_an_order_in_the_record_never_changes(api: RunningCluster, room: str) -> None:
    (thing,) = manifests.complete("ModelVersion")
    thing.pop("status")
    stored(api, room, thing)

    thing["spec"]["metrics"].reverse()

    assert "spec.metrics is part of the record" in edited(api, room, thing)


def test_notes_may_come_change_and_go(api: RunningCluster, room: str) -> None:
    version = manifests.version()
    stored(api, room, version)

    def note(**fields: Any) -> str:
        version["spec"] |= fields
        return edited(api, room, version)

    assert note(notes={"limitations": ["Slow."]}, notesBy={"username": "owner"}) == ""
    assert note(notes={"tags": {"team": "risk"}}, notesBy={"username": "reviewer"}) == ""
    version["spec"].pop("notes")
    assert note() == ""


# --- ModelTransition -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"attempt": 2}, "metadata.name must be <model>-<version>-<to>-<attempt>"),
        ({"to": "Archived"}, "metadata.name must be <model>-<version>-<to>-<attempt>"),
        ({"from": None}, "only a registration comes from nowhere"),
        ({"kind": "Register"}, "only a registration comes from nowhere"),
        ({"from": "Production"}, "an attempt leads to another stage"),
        ({"step": {"to": "Production"}}, "a step belongs to a policy"),
        ({"subjectDigest": "x"}, "spec.subjectDigest: Invalid value"),
    ],
)
def test_a_transition_is_refused(
    api: RunningCluster, home: str, spec: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.transition(**spec))


def test_a_registration_comes_from_nowhere(api: RunningCluster, home: str) -> None:
    registration = manifests.transition(**{"kind": "Register", "from": None, "to": "Registered"})
    registration["metadata"]["name"] = "fraud-detector-3-registered-1"

    assert tried(api, home, registration) == ""


def test_an_attempt_is_frozen(api: RunningCluster, room: str) -> None:
    (thing,) = manifests.complete("ModelTransition")
    thing.pop("status")
    stored(api, room, thing)

    answers = []
    for field, value in (("affectsPeople", False), ("excluded", []), ("champion", None)):
        other = deepcopy(thing)
        other["spec"][field] = value
        answers.append(edited(api, room, other))

    assert ["an attempt is frozen" in answer for answer in answers] == [True] * 3


# --- ModelDecision -------------------------------------------------------------------------------


OVERRIDE = {"gates": ["Soak"], "ticket": "INC-1", "expiresAt": "2026-11-24T10:00:00Z"}
POLICY = {"name": "standard", "digest": DIGEST}
ALONE = {"model": None, "version": None, "stage": None, "transition": None, "policy": POLICY}


@pytest.mark.parametrize(
    ("kind", "spec", "sentence"),
    [
        ("Approve", {}, "an Approve says what was reviewed"),
        ("Approve", {"reviewed": {"subjectDigest": DIGEST}}, "evidenceDigest: Required value"),
        ("Reject", {"transition": None}, "a decision needs its transition, but for a Review"),
        ("Retry", {"transition": None}, "a decision needs its transition, but for a Review"),
        ("Reject", {"version": None}, "a decision on a transition names its version"),
        ("Reject", {"stage": None}, "a decision needs model and stage"),
        ("Reject", {"model": None}, "a decision needs model and stage"),
        ("Reject", {"rationale": ""}, "spec.rationale"),
        ("Reject", {"rationale": None}, "spec.rationale: Required value"),
        ("Reject", {"stage": "Registered"}, "spec.stage: Unsupported value"),
        ("Override", {}, "an Override needs override"),
        ("Reject", {"override": OVERRIDE}, "an Override needs override"),
        ("Override", {"override": {"gates": ["Soak"]}}, "expiresAt: Required value"),
        ("Override", {"override": {**OVERRIDE, "gates": []}}, "should have at least 1 items"),
        ("Override", {"override": {**OVERRIDE, "gates": ["Exclusion"]}}, "override.gates[0]"),
        ("Override", {"override": {**OVERRIDE, "expiresAt": "soon"}}, "expiresAt: Invalid value"),
        ("Review", {"transition": None, "stage": "Staging"}, "the Review of a Model has the stage"),
        ("Review", {"policy": POLICY}, "the review of a policy's change names the policy alone"),
        ("Approve", {**ALONE, "reviewed": REVIEWED}, "names the policy alone"),
        ("Reject", ALONE, "a policy's change is reviewed: the decision must be Review"),
        ("Reject", {"retracts": "other"}, "retracts is for a Retract"),
    ],
)
def test_a_decision_is_refused(
    api: RunningCluster, home: str, kind: str, spec: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.decision(kind, **spec))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Approve", {"reviewed": REVIEWED}),
        ("Reject", {}),
        ("Retract", {}),
        ("Retract", {"retracts": "decision-x7k2p"}),
        ("Retry", {"stage": "Staging"}),
        ("Override", {"override": OVERRIDE}),
        ("Review", {}),
        ("Review", {"transition": None}),
        ("Review", {"transition": None, "version": None}),
        ("Review", ALONE),
    ],
)
def test_a_decision_is_taken(
    api: RunningCluster, home: str, kind: str, spec: dict[str, Any]
) -> None:
    assert tried(api, home, manifests.decision(kind, **spec)) == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rationale", "Another."),
        ("decision", "Retract"),
        ("transition", {**TRANSITION, "uid": "other"}),
        ("by", {"username": "owner@example.com"}),
    ],
)
def test_a_decision_is_never_edited(api: RunningCluster, room: str, field: str, value: Any) -> None:
    decision = manifests.decision()
    stored(api, room, decision)

    decision["spec"][field] = value

    assert "a decision is never edited: create another one" in edited(api, room, decision)


# --- ModelPolicy ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        ({}, "a gate needs a claim"),
        ({"artifact": {}, "metrics": {}}, "a gate makes one claim"),
        ({"champion": {"maxDrop": "0.1"}, "fairness": {"minRatio": "0.8"}}, "makes one claim"),
        ({"artifact": {}, "job": JOB}, "have a Job of their own"),
        ({"contract": {}, "job": JOB}, "have a Job of their own"),
        ({"reproduction": {"tolerance": "0", "job": JOB}, "job": JOB}, "have a Job of their own"),
        ({"reproduction": {"tolerance": "0"}}, "reproduction.job: Required value"),
        ({"dataQuality": {}}, "dataQuality needs a job"),
        ({"champion": {"maxDrop": "-0.1"}}, "champion.maxDrop: Invalid value"),
        ({"champion": {"maxDrop": 0.1}}, "champion.maxDrop: Invalid value"),
        ({"job": {"image": "registry.example.com/gate:1"}}, "job.image: Invalid value"),
        ({"job": {**JOB, "egress": [{"ports": [1]}]}}, "say either cidr or namespace"),
        (
            {"job": {**JOB, "egress": [{"cidr": "10.0.0.0/8", "namespace": "n", "ports": [1]}]}},
            "say either cidr or namespace",
        ),
        ({"job": {**JOB, "resources": {"limits": {"cpu": "much"}}}}, "limits.cpu: Invalid value"),
        ({"job": {**JOB, "nodeSelector": {"k" * 318: "v"}}}, "a key has at most 317 characters"),
        ({"metrics": {}, "when": "Always"}, "when: Unsupported value"),
        ({"metrics": {}, "runAt": "Night"}, "runAt: Unsupported value"),
    ],
)
def test_a_gate_is_refused(
    api: RunningCluster, home: str, gate: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.policy({"name": "gate", **gate}))


@pytest.mark.parametrize(
    "gate",
    [
        {"job": JOB},
        {"metrics": {}, "job": JOB},
        {"champion": {"maxDrop": "0"}, "job": JOB},
        {"dataQuality": {}, "job": JOB},
        {"reproduction": {"tolerance": "0.1", "job": JOB}},
        {"job": {**JOB, "resources": {"limits": {"cpu": 2, "memory": "1.5Gi"}}}},
    ],
)
def test_a_gate_is_taken(api: RunningCluster, home: str, gate: dict[str, Any]) -> None:
    assert tried(api, home, manifests.policy({"name": "gate", **gate})) == ""


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"steps": [{"to": "Staging"}, {"to": "Staging"}]}, "two steps into one stage"),
        ({"steps": [{"to": "Archived"}]}, "spec.steps[0].to: Unsupported value"),
        ({"steps": []}, "should have at least 1 items"),
        ({"allowedFormats": None}, "spec.allowedFormats: Required value"),
        ({"automation": {"maxStage": "Production"}}, "spec.automation.maxStage"),
        ({"belowFloor": {}}, "spec.belowFloor.reason: Required value"),
        (
            {"steps": [{"to": "Staging", "gates": [{"name": "a", "metrics": {}}] * 2}]},
            "two gates with one name",
        ),
        (
            {"steps": [{"to": "Production", "approvals": {"exclude": ["Nobody"]}}]},
            "exclude[0]: Unsupported value",
        ),
    ],
)
def test_a_policy_is_refused(
    api: RunningCluster, home: str, spec: dict[str, Any], sentence: str
) -> None:
    assert sentence in tried(api, home, manifests.policy(**spec))
