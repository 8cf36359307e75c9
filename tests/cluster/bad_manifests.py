"""Manifests and edits that must not pass: each is one change away from a good one.

A change is a path into the object and what is written there; `GONE` takes it out.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from modelwarden.domain.labels import API_VERSION

GONE: Final = object()
YES: Final = True
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
# One letter, composed and decomposed: two keys to a map, and one text to a digest.
ONE_TEXT_TWICE = {"\u00e9": "1", "e\u0301": "2"}
# Looks empty, and is a space to Unicode only.
NO_BREAK_SPACE = "\u00a0"
IMAGE = f"registry.example.com/gate@{DIGEST}"
HERE = "<here>"


def model(name: str = "newcomer", **spec: Any) -> dict[str, Any]:
    """A Model with a bit of everything."""
    whole = {
        "displayName": "Newcomer",
        "owners": [{"kind": "User", "name": "owner@example.com"}],
        "reviewers": [{"kind": "Group", "name": "risk-reviewers"}],
        "affectsPeople": False,
        "contract": {
            "inputs": [{"name": "amount", "type": "float32", "shape": [-1]}],
            "outputs": [{"name": "score", "type": "float32", "shape": [-1]}],
        },
        "metrics": [
            {
                "name": "auc",
                "direction": "HigherIsBetter",
                "min": "0.90",
                "critical": True,
                "segments": [{"by": "age_band", "min": "0.85", "minSamples": 200}],
            },
            {"name": "rate", "fairness": {"by": "gender", "minRatio": "0.80", "minSamples": 100}},
        ],
        "consumers": [{"name": "Weekly report", "kind": "Dashboard"}],
        "reviewEveryDays": 90,
        "stages": {
            "production": {"version": 2, "reason": "The best so far."},
            "staging": [{"version": 3, "reason": "Try it."}],
            "archived": [{"version": 1, "reason": "Superseded."}],
        },
    }
    return _object("Model", name, whole | spec)


def version(of: str = "newcomer", number: int = 1, **spec: Any) -> dict[str, Any]:
    """A ModelVersion with everything that the floor asks for."""
    artifact = {
        "uri": f"s3://models/{HERE}/{of}/model.onnx",
        "digest": DIGEST,
        "format": "ONNX",
        "sizeBytes": 1000,
    }
    run = {"system": "MLflow", "id": "run-1"}
    code = {"repository": "https://git.example.com/fraud", "commit": "0" * 40}
    whole = {
        "model": of,
        "version": number,
        "label": f"gbm-{number}",
        "artifact": artifact,
        "signature": {
            "inputs": [{"name": "amount", "type": "float32", "shape": [-1]}],
            "outputs": [{"name": "score", "type": "float32", "shape": [-1]}],
        },
        "lineage": {
            "datasets": [{"name": "payments", "role": "Training", "version": "2026-10-31"}],
            "code": code,
            "run": run,
            "baseModels": [{"uri": "https://models.example.com/base"}],
        },
        "hyperparameters": {"max_depth": "6"},
        "metrics": [
            {"name": "auc", "value": "0.943", "dataset": "holdout", "samples": 48211},
            {
                "name": "auc",
                "value": "0.921",
                "dataset": "holdout",
                "segment": {"age_band": "18-25"},
                "samples": 5120,
            },
        ],
        "training": {"durationSeconds": 12, "cost": {"amount": "1.20", "currency": "EUR"}},
        "trainedBy": [{"kind": "User", "name": "scientist@example.com"}],
        "notApplicable": [{"field": "lineage.features", "reason": "Raw columns only."}],
        "notes": {"limitations": ["Not tried outside of the EU."], "tags": {"team": "risk"}},
    }
    return _object("ModelVersion", f"{of}-{number}", whole | spec)


def policy(name: str, **spec: Any) -> dict[str, Any]:
    """A ModelPolicy that meets the floor and needs no Job, but for what is said beside."""
    steps = [
        {"to": "Registered", "gates": [{"name": "recorded", "metrics": {}}]},
        {"to": "Staging", "gates": [{"name": "quality", "metrics": {}}]},
        {
            "to": "Production",
            "gates": [{"name": "quality", "metrics": {}}],
            "approvals": {
                "owners": 1,
                "reviewers": 1,
                "expireAfterSeconds": 86400,
                "exclude": ["Trainer"],
            },
        },
    ]
    return _object("ModelPolicy", name, {"allowedFormats": ["ONNX"], "steps": steps} | spec)


def brought(name: str = "newcomer") -> dict[str, Any]:
    """A ModelPolicy whose Staging runs a Job of its own."""
    job = {
        "image": IMAGE,
        "env": [{"name": "MODE", "value": "fast"}],
        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
        "nodeSelector": {"disk": "fast"},
        "egress": [{"cidr": "10.0.0.0/8", "ports": [443]}],
    }
    gates = [
        {"name": "quality", "metrics": {}},
        {"name": "own", "job": job},
        {"name": "champion", "champion": {"maxDrop": "0.005"}},
    ]
    whole = policy(name, requiredMetadata=["lineage.run"], rollback={"withinDays": 30})
    whole["spec"]["steps"][1]["gates"] = gates
    return whole


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": deepcopy(dict(spec)),
    }


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A change of a good object, and what the answer must say.

    It is sent by whom the test lets send good ones, if `by` names nobody else.
    """

    title: str
    path: str
    value: Any = field(hash=False)
    says: tuple[str, ...]
    by: str = ""


def changed(good: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The object with one change; a number in a path is a place in a list, or one behind it."""
    whole = deepcopy(dict(good))
    *parents, last = path.split(".") if path else ("",)
    place: Any = whole
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if isinstance(place, list):
        place[int(last) : int(last) + 1] = [] if value is GONE else [value]
    elif value is GONE:
        del place[last]
    else:
        place[last] = value
    return whole


def bad(title: str, path: str, value: Any, *says: str, by: str = "") -> Bad:
    """One row of a table."""
    return Bad(title=title, path=path, value=value, says=says, by=by)


def entries(*versions: int) -> list[dict[str, Any]]:
    """Entries of a list of stages."""
    return [{"version": number, "reason": f"Because of {number}."} for number in versions]


MODELS = (
    bad("a name that leaves no room for others", "metadata.name", "a" * 41, "metadata.name", "40"),
    bad("a name with a dot", "metadata.name", "fraud.v2", "metadata.name"),
    bad("a name with an accent", "metadata.name", "mod\u00e8le", "metadata.name"),
    bad("no spec", "spec", GONE, "spec: Required value"),
    bad("a spec that is text", "spec", "fraud", "spec: Invalid value"),
    bad("a spec that is nothing", "spec", None, "spec: Required value"),
    bad("no owner", "spec.owners", [], "spec.owners", "at least 1"),
    bad("nobody said who owns it", "spec.owners", GONE, "spec.owners: Required value"),
    bad("one owner twice", "spec.owners.1", {"kind": "User", "name": "owner@example.com"},
        "spec.owners[1]: Duplicate value"),
    bad("an owner of no kind", "spec.owners.0.kind", "Robot", "spec.owners[0].kind"),
    bad("an owner nobody can see", "spec.owners.0.name", NO_BREAK_SPACE, "spec.owners[0].name"),
    bad("not said whether it affects people", "spec.affectsPeople", GONE,
        "spec.affectsPeople: Required value"),
    bad("a word for a truth", "spec.affectsPeople", "yes", "spec.affectsPeople", "boolean"),
    bad("a field nobody knows", "spec.owner", "me", 'unknown field "spec.owner"'),
    bad("a stage nobody knows", "spec.stages.canary", {"version": 1, "reason": "x"},
        'unknown field "spec.stages.canary"'),
    bad("a blank title", "spec.displayName", "\u3000", "spec.displayName"),
    bad("a title of another type", "spec.displayName", ["a"], "spec.displayName", "string"),
    bad("a novel for a description", "spec.description", "x" * 4097, "spec.description", "4096"),
    bad("a policy by no name", "spec.policy", "Standard", "spec.policy"),
    bad("a float for a decimal", "spec.metrics.0.min", 0.9, "spec.metrics[0].min"),
    bad("a comma for a point", "spec.metrics.0.min", "0,9", "spec.metrics[0].min"),
    bad("an exponent", "spec.metrics.0.min", "9e-1", "spec.metrics[0].min"),
    bad("not a number", "spec.metrics.0.min", "NaN", "spec.metrics[0].min"),
    bad("a rule that rules nothing", "spec.metrics.1.fairness", GONE, "spec.metrics[1]",
        "rules nothing"),
    bad("critical, and no direction", "spec.metrics.0.direction", GONE, "spec.metrics[0]",
        "needs a direction"),
    bad("two rules of one metric", "spec.metrics.2", {"name": "auc", "max": "1"},
        "spec.metrics[2]: Duplicate value"),
    bad("more than alike", "spec.metrics.1.fairness.minRatio", "1.2",
        "spec.metrics[1].fairness.minRatio"),
    bad("less than no samples", "spec.metrics.1.fairness.minSamples", -1,
        "spec.metrics[1].fairness.minSamples"),
    bad("one attribute twice", "spec.metrics.0.segments.1", {"by": "age_band", "max": "1"},
        "spec.metrics[0].segments", "two segment rules by one attribute"),
    bad("a size below any", "spec.contract.inputs.0.shape", [-2],
        "spec.contract.inputs[0].shape[0]"),
    bad("a type nobody knows", "spec.contract.inputs.0.type", "double",
        "spec.contract.inputs[0].type", "float64"),
    bad("one Deployment twice", "spec.serving",
        [{"stage": stage, "deployment": {"name": "api"}} for stage in ("Production", "Staging")],
        "spec.serving", "two entries for one Deployment"),
    bad("serving from the archive", "spec.serving",
        [{"stage": "Archived", "deployment": {"name": "api"}}], "spec.serving[0].stage"),
    bad("a consumer of two words", "spec.consumers.0.kind", "dash board", "spec.consumers[0].kind"),
    bad("an alias that is derived", "spec.aliases", [{"name": "production", "version": 1}],
        "spec.aliases[0].name", "are derived"),
    bad("an alias like a number", "spec.aliases", [{"name": "v7", "version": 1}],
        "spec.aliases[0].name", "are derived"),
    bad("one alias for two", "spec.aliases", [{"name": "best", "version": n} for n in (1, 2)],
        "spec.aliases[1]: Duplicate value"),
    bad("automation to Production", "spec.automation", {"to": "Production", "keep": 1},
        "spec.automation.to"),
    bad("nothing kept", "spec.automation", {"to": "Staging", "keep": 0}, "spec.automation.keep"),
    bad("kept for no day", "spec.retention", {"archivedDays": 0}, "spec.retention.archivedDays"),
    bad("a review in a million years", "spec.reviewEveryDays", 10**12, "spec.reviewEveryDays"),
    bad("version zero", "spec.stages.production.version", 0, "spec.stages.production.version"),
    bad("a version below zero", "spec.stages.production.version", -1,
        "spec.stages.production.version"),
    bad("a version beyond every integer", "spec.stages.production.version", 10**30,
        "spec.stages.production.version"),
    bad("half a version", "spec.stages.production.version", 2.5, "spec.stages.production.version"),
    bad("a version in quotes", "spec.stages.production.version", "2",
        "spec.stages.production.version", "integer"),
    bad("a version that is null", "spec.stages.production.version", None,
        "spec.stages.production.version"),
    bad("no reason", "spec.stages.production.reason", GONE,
        "spec.stages.production.reason: Required value"),
    bad("a reason nobody can see", "spec.stages.production.reason", NO_BREAK_SPACE,
        "spec.stages.production.reason"),
    bad("a reason of no width", "spec.stages.production.reason", "\u200b",
        "spec.stages.production.reason"),
    bad("a reason without end", "spec.stages.production.reason", "\U0001f44d" * 1025,
        "spec.stages.production.reason", "1024"),
    bad("more in Staging than fit", "spec.stages.staging", entries(*range(3, 20)),
        "spec.stages.staging", "16"),
    bad("one version twice in Staging", "spec.stages.staging", entries(3, 3),
        "spec.stages.staging[1]: Duplicate value"),
    bad("Staging and archived", "spec.stages.staging.1", {"version": 1, "reason": "Both."},
        "spec.stages", "staging and archived name the same version"),
    bad("archived and registered", "spec.stages.registered", entries(1),
        "spec.stages", "archived and registered name the same version"),
    bad("Production and archived", "spec.stages.archived", entries(2),
        "spec.stages", "production and archived name the same version"),
    bad("a list where one stands", "spec.stages.production", entries(2),
        'unknown field "spec.stages.production[0].version"'),
    bad("one where a list stands", "spec.stages.staging", entries(3)[0],
        'unknown field "spec.stages.staging.version"'),
    bad("a label of the operator's", "metadata.labels", {"modelwarden.io/stage": "Production"},
        "labels under modelwarden.io/", "by the operator only"),
    bad("a finalizer of the operator's", "metadata.finalizers", ["modelwarden.io/keep"],
        "finalizers under modelwarden.io/", "by the operator only"),
    bad("a policy that one may not use", "spec.policy", "some-policy",
        "lacks the verb use on modelpolicies", by="creator"),
    bad("a promotion without the right", "spec.displayName", "Mine",
        "lacks the verb promote on models/", by="stranger"),
)  # fmt: skip

VERSIONS = (
    bad("the name of another number", "metadata.name", "newcomer-2",
        "metadata.name must be <spec.model>-<spec.version>"),
    bad("the name of another model", "metadata.name", "fraud-1",
        "metadata.name must be <spec.model>-<spec.version>"),
    bad("a number written with a zero before it", "metadata.name", "newcomer-01",
        "metadata.name must be <spec.model>-<spec.version>"),
    bad("a record without a spec", "spec", GONE, "spec: Required value"),
    bad("a record whose spec is a list", "spec", [], "spec: Invalid value"),
    bad("number zero", "spec.version", 0, "spec.version"),
    bad("a million", "spec.version", 1_000_000, "spec.version"),
    bad("a number and a half", "spec.version", 1.5, "spec.version"),
    bad("a number in quotes", "spec.version", "1", "spec.version", "integer"),
    bad("a model in capitals", "spec.model", "Newcomer", "spec.model"),
    bad("no artifact", "spec.artifact", GONE, "spec.artifact: Required value"),
    bad("a way up", "spec.artifact.uri", f"s3://models/{HERE}/../other/model.onnx",
        "spec.artifact.uri", ". or .."),
    bad("a way up in disguise", "spec.artifact.uri", f"s3://models/{HERE}/%2e%2e/model.onnx",
        "spec.artifact.uri"),
    bad("dots that only look like some", "spec.artifact.uri",
        f"s3://models/{HERE}/\uff0e\uff0e/model.onnx", "spec.artifact.uri"),
    bad("digits that only look like some", "spec.artifact.uri",
        f"s3://models/{HERE}/\uff11/model.onnx", "spec.artifact.uri", "normal form"),
    bad("another scheme", "spec.artifact.uri", "https://models.example.com/model.onnx",
        "spec.artifact.uri"),
    bad("a bucket and nothing in it", "spec.artifact.uri", "s3://models/", "spec.artifact.uri"),
    bad("an address for a bucket", "spec.artifact.uri", "s3://10.0.0.1/model.onnx",
        "spec.artifact.uri", "address"),
    bad("a space in a path", "spec.artifact.uri", f"s3://models/{HERE}/my model.onnx",
        "spec.artifact.uri"),
    bad("a path without end", "spec.artifact.uri", f"s3://models/{HERE}/" + "x" * 1300,
        "spec.artifact.uri"),
    bad("a digest in capitals", "spec.artifact.digest", "sha256:" + "A" * 64,
        "spec.artifact.digest"),
    bad("a digest of another kind", "spec.artifact.digest", "md5:" + "a" * 32,
        "spec.artifact.digest"),
    bad("a digest with more behind it", "spec.artifact.digest", DIGEST + "\n",
        "spec.artifact.digest"),
    bad("a format that runs code", "spec.artifact.format", "Pickle", "spec.artifact.format",
        "ONNX"),
    bad("less than nothing", "spec.artifact.sizeBytes", -1, "spec.artifact.sizeBytes"),
    bad("a measured float", "spec.metrics.0.value", 0.943, "spec.metrics[0].value"),
    bad("a measured infinity", "spec.metrics.0.value", "Infinity", "spec.metrics[0].value"),
    bad("samples beyond every integer", "spec.metrics.0.samples", 10**30,
        "spec.metrics[0].samples"),
    bad("a segment by too much", "spec.metrics.1.segment", {f"a{n}": "x" for n in range(5)},
        "spec.metrics[1].segment", "4"),
    bad("more metrics than fit", "spec.metrics", [{"name": f"m{n}", "value": "1"}
                                                 for n in range(513)], "spec.metrics", "512"),
    bad("a setting that is a number", "spec.hyperparameters.max_depth", 6,
        "spec.hyperparameters.max_depth", "string"),
    bad("a setting twice", "spec.hyperparameters", ONE_TEXT_TWICE, "spec.hyperparameters",
        "the same text"),
    bad("a tag twice", "spec.notes.tags", ONE_TEXT_TWICE, "spec.notes", "the same text"),
    bad("half a commit", "spec.lineage.code.commit", "abc123", "spec.lineage.code.commit"),
    bad("a base of two kinds", "spec.lineage.baseModels.0.model", "other",
        "spec.lineage.baseModels[0]", "either a uri, or a model of ours"),
    bad("data of no role", "spec.lineage.datasets.0.role", "Secret",
        "spec.lineage.datasets[0].role"),
    bad("trained by a group", "spec.trainedBy.0.kind", "Group", "spec.trainedBy[0].kind"),
    bad("trained by somebody else", "spec.label", "mine", "lacks the verb attest",
        "spec.trainedBy names others than the caller", by="stranger"),
    bad("a field that is no path", "spec.notApplicable.0.field", "lineage..features",
        "spec.notApplicable[0].field"),
    bad("nothing comes out", "spec.signature.outputs", GONE,
        "spec.signature.outputs: Required value"),
    bad("a record of more than the API knows", "spec.accuracy", "0.9",
        'unknown field "spec.accuracy"'),
    bad("trained in no time", "spec.training.durationSeconds", -5, "spec.training.durationSeconds"),
    bad("paid with a minus", "spec.training.cost.amount", "-1", "spec.training.cost.amount"),
    bad("paid in small letters", "spec.training.cost.currency", "eur",
        "spec.training.cost.currency"),
    bad("a limitation nobody can see", "spec.notes.limitations", [NO_BREAK_SPACE],
        "spec.notes.limitations[0]"),
)  # fmt: skip

POLICIES = (
    bad("a policy in capitals", "metadata.name", "Standard", "metadata.name"),
    bad("no format", "spec.allowedFormats", [], "spec.allowedFormats", "at least 1"),
    bad("a format that is none", "spec.allowedFormats", ["Pickle"], "spec.allowedFormats[0]"),
    bad("no step", "spec.steps", [], "spec.steps", "at least 1"),
    bad("two steps into one stage", "spec.steps.1.to", "Registered", "spec.steps",
        "two steps into one stage"),
    bad("a step into the archive", "spec.steps.1.to", "Archived", "spec.steps[1].to"),
    bad("two gates of one name", "spec.steps.1.gates.1.name", "quality", "spec.steps[1].gates",
        "two gates with one name"),
    bad("a gate that claims nothing", "spec.steps.1.gates.0.metrics", GONE,
        "spec.steps[1].gates[0]", "a gate needs a claim"),
    bad("a gate of two claims", "spec.steps.1.gates.0.champion", {"maxDrop": "0.1"},
        "spec.steps[1].gates[0]", "a gate makes one claim"),
    bad("a drop upwards", "spec.steps.1.gates.2.champion.maxDrop", "-0.005",
        "spec.steps[1].gates[2].champion.maxDrop"),
    bad("a drop by a float", "spec.steps.1.gates.2.champion.maxDrop", 0.005,
        "spec.steps[1].gates[2].champion.maxDrop"),
    bad("an image by tag", "spec.steps.1.gates.1.job.image", "registry.example.com/gate:1",
        "spec.steps[1].gates[1].job.image"),
    bad("an image with a space in it", "spec.steps.1.gates.1.job.image",
        f"registry.example.com/ga{NO_BREAK_SPACE}te@{DIGEST}", "spec.steps[1].gates[1].job.image"),
    bad("much memory", "spec.steps.1.gates.1.job.resources.limits.memory", "much",
        "spec.steps[1].gates[1].job.resources.limits.memory"),
    bad("memory below nothing", "spec.steps.1.gates.1.job.resources.limits.memory", "-1Gi",
        "spec.steps[1].gates[1].job.resources.limits.memory"),
    bad("two spellings of one node", "spec.steps.1.gates.1.job.nodeSelector", ONE_TEXT_TWICE,
        "spec.steps", "the same text"),
    bad("a way out of no width", "spec.steps.1.gates.1.job.egress.0.cidr", "10.0.0.0/99",
        "spec.steps[1].gates[1].job.egress[0].cidr", "a range of addresses"),
    bad("a way out to two places", "spec.steps.1.gates.1.job.egress.0.namespace", "other",
        "spec.steps[1].gates[1].job.egress[0]", "either cidr or namespace"),
    bad("a port beyond the last", "spec.steps.1.gates.1.job.egress.0.ports", [70000],
        "spec.steps[1].gates[1].job.egress[0].ports[0]"),
    bad("a variable that is none", "spec.steps.1.gates.1.job.env.0.name", "1X",
        "spec.steps[1].gates[1].job.env[0].name"),
    bad("more owners than count", "spec.steps.2.approvals.owners", 9,
        "spec.steps[2].approvals.owners"),
    bad("fewer reviewers than none", "spec.steps.2.approvals.reviewers", -1,
        "spec.steps[2].approvals.reviewers"),
    bad("votes that are over at once", "spec.steps.2.approvals.expireAfterSeconds", 1,
        "spec.steps[2].approvals.expireAfterSeconds"),
    bad("nobody excluded", "spec.steps.2.approvals.exclude", ["Nobody"],
        "spec.steps[2].approvals.exclude[0]"),
    bad("below the floor, and not why", "spec.belowFloor", {}, "spec.belowFloor.reason"),
    bad("metadata of no path", "spec.requiredMetadata", ["lineage..run"],
        "spec.requiredMetadata[0]"),
    bad("back within no day", "spec.rollback.withinDays", 0, "spec.rollback.withinDays"),
    bad("automation to the top", "spec.automation", {"maxStage": "Production"},
        "spec.automation.maxStage"),
    bad("a rule nobody knows", "spec.override", "yes", 'unknown field "spec.override"'),
    bad("a policy by somebody else", "metadata.name", "mine",
        'cannot create resource "modelpolicies"', by="stranger"),
)  # fmt: skip

# Edits of a Model with 1 in Production, 2 in Staging, 3 archived and 4 registered.
STAGES = (
    bad("the line of Production gone", "spec.stages.production", GONE, "spec.stages",
        "the version in Production must be named somewhere"),
    bad("all of the stages gone", "spec.stages", GONE, "spec.stages", "must be named somewhere"),
    bad("the version in Staging gone", "spec.stages.staging", [], "spec.stages",
        "a version in Staging must be named somewhere"),
    bad("another version for the same reason", "spec.stages.production.version", 2,
        "spec.stages.production.reason", "another version needs a reason of its own"),
    bad("in Production, and archived as well", "spec.stages.archived.1", entries(1)[0],
        "spec.stages", "production and archived name the same version"),
    bad("Production by who may do Staging", "spec.stages.production",
        {"version": 2, "reason": "Better."}, "lacks the verb promote on models/production",
        by="engineer"),
    bad("out of Production by who may do Staging", "spec.stages",
        {"staging": entries(2), "registered": entries(1)},
        "lacks the verb demote on models/production", by="engineer"),
    bad("out of the archive by who may only ask for Production", "spec.stages",
        {"production": {"version": 3, "reason": "The old one."}, "staging": entries(2)},
        "lacks the verb promote on models/archived", by="promoter"),
    bad("other owners by who may not govern", "spec.owners",
        [{"kind": "User", "name": "engineer@example.com"}], "lacks the verb govern on models",
        by="engineer"),
    bad("another cadence by who may not govern", "spec.reviewEveryDays", 900,
        "lacks the verb govern on models", by="engineer"),
    bad("a Deployment that one may not change", "spec.serving",
        [{"stage": "Production", "deployment": {"name": "theirs"}}],
        "lacks the verb patch on deployments", by="promoter"),
    bad("another name", "metadata.name", "other", "name"),
    bad("an old state", "metadata.resourceVersion", "1", "has been modified"),
)  # fmt: skip

# Edits of a version that is registered.
RECORDS = (
    bad("other bytes", "spec.artifact.digest", OTHER_DIGEST,
        "spec.artifact", "is part of the record and never changes"),
    bad("another place", "spec.artifact.uri", f"s3://models/{HERE}/elsewhere/model.onnx",
        "spec.artifact", "never changes"),
    bad("better metrics", "spec.metrics.0.value", "0.999", "spec.metrics", "never changes"),
    bad("no metrics", "spec.metrics", GONE, "spec.metrics", "never changes"),
    bad("another number", "spec.version", 7, "spec.version", "never changes"),
    bad("features after the fact", "spec.lineage.features", [{"name": "age"}],
        "spec.lineage", "never changes"),
    bad("another trainer", "spec.trainedBy.0.name", "owner@example.com",
        "spec.trainedBy", "never changes"),
    bad("a label that there was not", "spec.label", "gbm-7", "spec.label", "never changes"),
    bad("notes that cannot be recorded", "spec.notes.tags", ONE_TEXT_TWICE, "spec.notes",
        "the same text"),
    bad("more notes than fit", "spec.notes.limitations", ["Slow."] * 33, "spec.notes.limitations",
        "32"),
    bad("notes of no shape", "spec.notes", "Slow.", "spec.notes", "object"),
)  # fmt: skip

# An approval of the attempt that waits for one, by the owner.
DECISIONS = (
    bad("a verb in small letters", "spec.decision", "approve", "spec.decision", "Approve"),
    bad("no rationale", "spec.rationale", GONE, "spec.rationale: Required value"),
    bad("a rationale nobody can see", "spec.rationale", "\u2003", "spec.rationale"),
    bad("a rationale without end", "spec.rationale", "x" * 2001, "spec.rationale", "2000"),
    bad("nothing reviewed", "spec.reviewed", GONE, "an Approve says what was reviewed"),
    bad("evidence in capitals", "spec.reviewed.evidenceDigest", "sha256:" + "A" * 64,
        "spec.reviewed.evidenceDigest"),
    bad("other evidence", "spec.reviewed.evidenceDigest", OTHER_DIGEST, "reviewed other evidence"),
    bad("other content", "spec.reviewed.subjectDigest", OTHER_DIGEST, "reviewed another content"),
    bad("another policy", "spec.reviewed.policyDigest", OTHER_DIGEST, "reviewed another policy"),
    bad("another attempt of that name", "spec.transition.uid", "another",
        "another attempt that was also called"),
    bad("an attempt that never was", "spec.transition.name", "voted-1-production-9",
        "There is no attempt voted-1-production-9"),
    bad("no attempt", "spec.transition", GONE, "spec.transition",
        "a decision needs its transition"),
    bad("the attempt of another version", "spec.version", 2, "is an attempt of voted 1"),
    bad("of no version", "spec.version", GONE, "a decision on a transition names its version"),
    bad("for another stage", "spec.stage", "Staging", "leads to Production, not to Staging",
        by="lead"),
    bad("for a stage that nobody decides about", "spec.stage", "Registered", "spec.stage"),
    bad("what nothing is skipped for", "spec.override",
        {"gates": ["Soak"], "ticket": "INC-1", "expiresAt": "2030-01-01T00:00:00Z"},
        "an Override needs override"),
    bad("the day after February", "spec.override",
        {"gates": ["Soak"], "ticket": "INC-1", "expiresAt": "2030-02-31T00:00:00Z"},
        "spec.override.expiresAt"),
    bad("the exclusion is skipped", "spec.override",
        {"gates": ["Exclusion"], "ticket": "INC-1", "expiresAt": "2030-01-01T00:00:00Z"},
        "spec.override.gates[0]"),
    bad("a vote that takes one back", "spec.retracts", "other", "retracts is for a Retract"),
    bad("a try again of what goes on", "spec.decision", "Retry",
        "has not ended, so there is nothing to try again", by="lead"),
    bad("by who trained it", "spec.rationale", "Mine.", "trained voted 1 and may not approve it",
        by="scientist"),
    bad("by the other login of who trained it", "spec.rationale", "Mine.",
        "another login of scientist@example.com, trained voted 1", by="platform"),
    bad("by a machine", "spec.rationale", "Automatic.", "decisions come from people",
        by="machine"),
    bad("by who may not approve", "spec.rationale", "Fine.",
        "lacks the verb approve on models/production", by="stranger"),
    bad("by who is neither owner nor reviewer", "spec.rationale", "Fine.",
        "is neither one of the owners nor one of the reviewers", by="lead"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Held:
    """A change of one of three good objects that belong together, and what is then told of them.

    `filed` where the policy has the artifact opened; the others need no Job.
    """

    title: str
    of: str
    path: str
    value: Any = field(hash=False)
    code: str
    filed: bool = False


def held(title: str, of: str, path: str, value: Any, code: str, **more: Any) -> Held:
    """One row of the table."""
    return Held(title=title, of=of, path=path, value=value, code=code, **more)


_JOB: Mapping[str, Any] = {"image": IMAGE}
_GREEDY = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
# What the good ones wait for.
VOTES = "ApprovalsMissing"

HELD = (
    held("a policy that is not there", "Model", "spec.policy", "no-such", "PolicyNotFound"),
    held("a version that is not there", "Model", "spec.stages.production.version", 9,
         "VersionNotFound"),
    held("people affected, and nobody looks", "Model", "spec.affectsPeople", YES,
         "NoFairnessGate"),
    held("a Deployment that is not there", "Model", "spec.serving",
         [{"stage": "Production", "deployment": {"name": "no-such"}}], "DeploymentMissing"),
    held("the only owner trained it", "Model", "spec.owners.0.name", "scientist@example.com",
         "QuorumImpossible"),
    held("nobody to review", "Model", "spec.reviewers", GONE, "QuorumImpossible"),
    held("no rule to meet", "Model", "spec.metrics", GONE, "NoMetricRules"),
    held("a rule that is not met", "Model", "spec.metrics.0.min", "0.99", "MetricsNotMet"),
    held("a segment that nobody measured", "Model", "spec.metrics.0.segments.0.by", "region",
         "MetricsNotMet"),
    held("no run", "ModelVersion", "spec.lineage.run", GONE, "MetadataMissing"),
    held("no settings", "ModelVersion", "spec.hyperparameters", GONE, "MetadataMissing"),
    held("settings that are null", "ModelVersion", "spec.hyperparameters.max_depth", None,
         "MetadataMissing"),
    held("no segments", "ModelVersion", "spec.metrics.1", GONE, "MetadataMissing"),
    held("data that nobody gets again", "ModelVersion", "spec.lineage.datasets.0.version", GONE,
         "MetadataMissing"),
    held("a format that the policy does not know", "ModelVersion", "spec.artifact.format",
         "Safetensors", "FormatNotAllowed"),
    held("trained by nobody", "ModelVersion", "spec.trainedBy", GONE, "TrainerUnknown"),
    held("trained by a machine", "ModelVersion", "spec.trainedBy.0.name",
         "system:serviceaccount:ci:trainer", "TrainerUnknown"),
    held("worse than nothing", "ModelVersion", "spec.metrics.0.value", "-0.943", "MetricsNotMet"),
    held("the place of another team", "ModelVersion", "spec.artifact.uri",
         "s3://models/elsewhere/model.onnx", "StoreNotAllowed", filed=True),
    held("another bucket", "ModelVersion", "spec.artifact.uri", f"s3://others/{HERE}/model.onnx",
         "StoreNotAllowed", filed=True),
    held("a file that is not there", "ModelVersion", "spec.artifact.uri",
         f"s3://models/{HERE}/no-such.onnx", "ArtifactNotFound", filed=True),
    held("no step to Staging", "ModelPolicy", "spec.steps.1", GONE, "NoGates"),
    held("a step without a gate", "ModelPolicy", "spec.steps.1.gates", [], "NoGates"),
    held("Staging without metrics", "ModelPolicy", "spec.steps.1.gates.0",
         {"name": "quality", "artifact": {}}, "PolicyBelowFloor"),
    held("Production without people", "ModelPolicy", "spec.steps.2.approvals", GONE,
         "PolicyBelowFloor"),
    held("Production without a reviewer", "ModelPolicy", "spec.steps.2.approvals.reviewers", 0,
         "PolicyBelowFloor"),
    held("the trainer may vote", "ModelPolicy", "spec.steps.2.approvals.exclude", [],
         "PolicyBelowFloor"),
    held("a gate that nobody runs yet", "ModelPolicy", "spec.steps.2.gates.1",
         {"name": "fast", "benchmark": {"p95Milliseconds": 50, "requests": 500}},
         "NotYetSupported"),
    held("the name of a gate that all have", "ModelPolicy", "spec.steps.0.gates.0.name",
         "metadata", "GateNameTaken"),
    held("a Job that asks for more than it may use", "ModelPolicy", "spec.steps.1.gates.1",
         {"name": "own", "job": {**_JOB, "resources": _GREEDY}}, "GateJobInvalid"),
    held("a Job for a node of no name", "ModelPolicy", "spec.steps.1.gates.1",
         {"name": "own", "job": {**_JOB, "nodeSelector": {"no label!": "x"}}}, "GateJobInvalid"),
    held("metadata that nobody recorded", "ModelPolicy", "spec.requiredMetadata",
         ["lineage.environment"], "MetadataMissing"),
    held("no format that anybody has", "ModelPolicy", "spec.allowedFormats", ["MLflow"],
         "FormatNotAllowed"),
    # Odd, and nobody's mistake: it goes as far as every good one.
    held("a reason of pictures", "Model", "spec.stages.production.reason", "\U0001f44d" * 1024,
         VOTES),
    held("a reason that commands a terminal", "Model", "spec.stages.production.reason",
         "\x00\x1b[31m\x07red", VOTES),
    held("a label from right to left", "ModelVersion", "spec.label", "\u202egpj.exe", VOTES),
    held("all the notes that fit", "ModelVersion", "spec.notes",
         {"limitations": ["\u5408" * 1024] * 32}, VOTES),
    held("all the settings that fit", "ModelVersion", "spec.hyperparameters",
         {f"key-{number}": "x" * 1024 for number in range(256)}, VOTES),
)  # fmt: skip
