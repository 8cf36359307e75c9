from typing import Any

from modelwarden.lineage.ancestors import Ancestry, ancestry, still_unknown
from modelwarden.lineage.origins import Origin, OriginKind, VersionKey, origins

FRAUD_1 = VersionKey("risk", "fraud-detector", 1)
FRAUD_2 = VersionKey("risk", "fraud-detector", 2)
EMBEDDER_7 = VersionKey("nlp", "embedder", 7)


def a_spec(*bases: VersionKey, **lineage: Any) -> dict[str, Any]:
    named = [{"namespace": b.namespace, "model": b.model, "version": b.version} for b in bases]
    return {"lineage": {**({"baseModels": named} if bases else {}), **lineage}}


def test_every_kind_of_origin_is_listed_with_what_finds_it_again() -> None:
    spec = a_spec(
        datasets=[{"name": "payments", "role": "Training", "version": "2026-10-31"}],
        code={
            "repository": "https://git.example.com/fraud",
            "commit": "a" * 40,
            "path": "train.py",
        },
        environment={"image": "registry/train@sha256:1", "packagesDigest": "sha256:2"},
        features=[{"name": "device-age", "store": "feast://risk", "version": "7"}],
        baseModels=[{"uri": "hf://base"}, {"model": "fraud-detector", "version": 1}],
        run={"system": "MLflow", "id": "4711", "uri": "https://mlflow.example.com/4711"},
    )

    assert origins(spec) == (
        Origin(OriginKind.DATASET, "payments", (("role", "Training"), ("version", "2026-10-31"))),
        Origin(
            OriginKind.CODE,
            "https://git.example.com/fraud",
            (("commit", "a" * 40), ("path", "train.py")),
        ),
        Origin(
            OriginKind.ENVIRONMENT, "registry/train@sha256:1", (("packagesDigest", "sha256:2"),)
        ),
        Origin(OriginKind.FEATURE, "device-age", (("version", "7"), ("store", "feast://risk"))),
        Origin(OriginKind.BASE_MODEL, "hf://base"),
        Origin(OriginKind.RUN, "MLflow 4711", (("uri", "https://mlflow.example.com/4711"),)),
    )


def test_a_version_without_lineage_has_no_origins() -> None:
    assert origins({"model": "fraud-detector"}) == ()


def test_base_models_are_followed_across_namespaces() -> None:
    specs = {FRAUD_2: a_spec(EMBEDDER_7), EMBEDDER_7: a_spec()}

    assert ancestry(FRAUD_2, specs) == Ancestry(key=FRAUD_2, bases=(Ancestry(key=EMBEDDER_7),))


def test_a_base_model_without_a_namespace_is_of_the_same_one() -> None:
    specs = {FRAUD_2: a_spec(baseModels=[{"model": "fraud-detector", "version": 1}])}

    assert still_unknown(FRAUD_2, specs) == {FRAUD_1}


def test_what_is_still_to_be_read_is_named_until_nothing_is() -> None:
    specs: dict[VersionKey, dict[str, Any] | None] = {}
    rounds = []
    while unknown := still_unknown(FRAUD_2, specs):
        rounds.append(unknown)
        there = {FRAUD_2: a_spec(FRAUD_1), FRAUD_1: a_spec(EMBEDDER_7)}
        specs |= {key: there.get(key) for key in unknown}

    assert rounds == [{FRAUD_2}, {FRAUD_1}, {EMBEDDER_7}]


def test_a_version_that_is_not_there_is_said_to_be_not_found() -> None:
    specs = {FRAUD_2: a_spec(EMBEDDER_7), EMBEDDER_7: None}

    assert ancestry(FRAUD_2, specs).bases == (Ancestry(key=EMBEDDER_7, remark="not found"),)


def test_versions_that_name_each_other_are_told_once() -> None:
    specs = {FRAUD_2: a_spec(FRAUD_1), FRAUD_1: a_spec(FRAUD_2)}

    assert ancestry(FRAUD_2, specs) == Ancestry(
        key=FRAUD_2,
        bases=(Ancestry(key=FRAUD_1, bases=(Ancestry(key=FRAUD_2, remark="told above"),)),),
    )


def test_an_ancestry_is_written_as_json() -> None:
    specs = {FRAUD_2: a_spec(EMBEDDER_7, run={"system": "MLflow", "id": "1"}), EMBEDDER_7: None}

    assert ancestry(FRAUD_2, specs).to_json() == {
        "namespace": "risk",
        "model": "fraud-detector",
        "version": 2,
        "origins": [{"kind": "run", "name": "MLflow 1"}],
        "baseModels": [
            {
                "namespace": "nlp",
                "model": "embedder",
                "version": 7,
                "origins": [],
                "baseModels": [],
                "remark": "not found",
            }
        ],
    }
