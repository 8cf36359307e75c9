import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden.artifacts.s3 import StoreAccess
from modelwarden.cluster.paths import CONFIG_MAPS, MODEL_VERSIONS
from tests import builders, s3_server
from tests.cli import stories
from tests.cli.conftest import Result, Run
from tests.fakes.store import RefusalError
from tests.s3_server import Bucket
from tests.workflows.world import World

BYTES = b"graph" * 1000
DIGEST = hashlib.sha256(BYTES).hexdigest()
REGISTER = ("register", "--model", "fraud-detector")


@pytest.fixture(scope="module")
def s3_access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    with s3_server.running(tmp_path_factory.mktemp("s3")) as access:
        yield access


@pytest.fixture
def bucket(s3_access: StoreAccess, world: World) -> Bucket:
    """A bucket, published as the store of the installation."""
    bucket = s3_server.new_bucket(s3_access)
    store = {
        "name": "models",
        "uriPrefix": f"s3://{bucket.name}/{{namespace}}/",
        "endpoint": bucket.access.endpoint,
        "region": "us-east-1",
        "addressing": "path",
    }
    metadata = {"name": "modelwarden-stores", "namespace": "modelwarden-system"}
    data = {"stores.yaml": yaml.safe_dump([store])}
    world.server.put(CONFIG_MAPS, {"metadata": metadata, "data": data})
    return bucket


@pytest.fixture
def env(bucket: Bucket) -> Mapping[str, str]:
    """The caller's own credentials of the store."""
    credentials = bucket.access.credentials
    assert credentials is not None
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
    }


@pytest.fixture
def artifact(tmp_path: Path) -> str:
    path = tmp_path / "model.onnx"
    path.write_bytes(BYTES)
    return str(path)


@pytest.fixture
def record(tmp_path: Path) -> str:
    """The rest of the record, as a training run would write it."""
    spec = builders.version()["spec"]
    kept = ("lineage", "hyperparameters", "training", "trainedBy")
    path = tmp_path / "version.yaml"
    path.write_text(yaml.safe_dump({name: spec[name] for name in kept}))
    return str(path)


def versions(world: World) -> dict[str, Any]:
    found = world.server.all(MODEL_VERSIONS, builders.NAMESPACE)
    return {item["metadata"]["name"]: item["spec"] for item in found}


async def test_an_artifact_is_uploaded_by_its_digest_and_recorded(
    world: World, cli: Run, bucket: Bucket, env: Mapping[str, str], artifact: str, record: str
) -> None:
    uri = f"s3://{bucket.name}/risk/sha256/{DIGEST}/model.onnx"

    result = await cli(*REGISTER, artifact, "--from", record, "--label", "gbm", env=env)

    spec = versions(world)["fraud-detector-1"]
    assert (result, spec["artifact"], spec["label"], bucket.sizes()) == (
        Result(
            0,
            "fraud-detector 1 is recorded; its registration has begun.\n"
            f"It lies at {uri} as sha256:{DIGEST}.\n"
            "Follow it: kubectl model why fraud-detector 1 -n risk\n",
            "sending model.onnx\n",
        ),
        {"uri": uri, "digest": f"sha256:{DIGEST}", "format": "ONNX", "sizeBytes": len(BYTES)},
        "gbm",
        {f"risk/sha256/{DIGEST}/model.onnx": len(BYTES)},
    )


async def test_the_next_number_is_taken_and_a_taken_one_passed_over(
    world: World, cli: Run, env: Mapping[str, str], artifact: str, record: str
) -> None:
    await stories.registered(world)
    world.register(2)
    world.register(3)

    result = await cli(*REGISTER, artifact, "--from", record, "-o", "name", env=env)

    assert (result.code, result.out, max(versions(world))) == (
        0,
        "modelversion.modelwarden.io/fraud-detector-4\n",
        "fraud-detector-4",
    )


async def test_a_number_that_was_asked_for_is_not_replaced_by_another(
    world: World, cli: Run, env: Mapping[str, str], artifact: str
) -> None:
    await stories.registered(world)

    result = await cli(*REGISTER, artifact, "--version", "1", env=env)

    assert (result.code, "already exists" in result.err) == (1, True)


async def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(
    world: World, cli: Run, bucket: Bucket, env: Mapping[str, str], artifact: str, record: str
) -> None:
    words = (*REGISTER, artifact, "--from", record)
    printed = await cli(*words, "--dry-run", "client", "-o", "yaml", env=env)
    nothing = (versions(world), bucket.sizes())

    sent = await cli(*words, "-o", "json", env=env)

    would, did = yaml.safe_load(printed.out)["spec"], json.loads(sent.out)["spec"]
    assert (nothing, would) == (
        ({}, {}),
        {name: value for name, value in did.items() if name != "registeredBy"},
    )


async def test_waiting_tells_each_gate_and_ends_when_the_version_is_registered(
    world: World, cli: Run, tmp_path: Path
) -> None:
    source = tmp_path / "version.yaml"
    spec = builders.version()["spec"]
    del spec["registeredBy"]
    source.write_text(yaml.safe_dump(spec))

    async with stories.running(world, "fraud-detector-1"):
        result = await cli(*REGISTER, "--from", str(source), "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1]) == (0, "Version 1 is registered.")


async def test_a_folder_is_named_by_the_digest_of_its_listing(
    world: World, cli: Run, bucket: Bucket, env: Mapping[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}")
    (folder / "model.onnx").write_bytes(BYTES)
    words = (*REGISTER, str(folder))

    printed = await cli(*words, "--dry-run", "client", "-o", "json", env=env)
    await cli(*words, env=env)

    artifact = versions(world)["fraud-detector-1"]["artifact"]
    assert (artifact["format"], artifact["uri"].endswith("/"), artifact, len(bucket.sizes())) == (
        "MLflow",
        True,
        json.loads(printed.out)["spec"]["artifact"],
        2,
    )


async def test_metrics_keep_the_digits_that_were_written(
    world: World, cli: Run, env: Mapping[str, str], artifact: str, tmp_path: Path
) -> None:
    metrics = tmp_path / "metrics.yaml"
    metrics.write_text("auc: 0.9430\nrecall: 1\n")

    await cli(*REGISTER, artifact, "--metrics", str(metrics), env=env)

    assert versions(world)["fraud-detector-1"]["metrics"] == [
        {"name": "auc", "value": "0.9430"},
        {"name": "recall", "value": "1"},
    ]


async def test_every_wrong_field_is_named_before_anything_is_created(
    world: World, cli: Run, env: Mapping[str, str], artifact: str, tmp_path: Path
) -> None:
    source = tmp_path / "version.yaml"
    source.write_text("metrics: [{name: auc, value: 0.9}]\nlineage: {dataset: []}\n")

    result = await cli(*REGISTER, artifact, "--from", str(source), env=env)

    assert (
        result.code,
        "spec.metrics[0].value" in result.err,
        "spec.lineage.dataset" in result.err,
        versions(world),
    ) == (1, True, True, {})


async def test_a_file_that_is_no_yaml_is_named(
    world: World, cli: Run, artifact: str, tmp_path: Path
) -> None:
    source = tmp_path / "version.yaml"
    source.write_text("lineage: [")

    result = await cli(*REGISTER, artifact, "--from", str(source))

    assert (result.code, result.err.startswith(f"{source}: is no YAML")) == (1, True)


async def test_an_artifact_that_is_in_a_store_already_is_only_recorded(
    world: World, cli: Run, tmp_path: Path
) -> None:
    source = tmp_path / "version.yaml"
    spec = builders.version()["spec"]
    source.write_text(yaml.safe_dump({"artifact": spec["artifact"]}))

    result = await cli(*REGISTER, "--from", str(source))

    assert (result.code, versions(world)["fraud-detector-1"]["artifact"]) == (0, spec["artifact"])


@pytest.fixture
def volume(world: World) -> None:
    """A claim, published as the store of the installation."""
    store = {"name": "shared", "uriPrefix": "pvc://models/{namespace}/"}
    metadata = {"name": "modelwarden-stores", "namespace": "modelwarden-system"}
    data = {"stores.yaml": yaml.safe_dump([store])}
    world.server.put(CONFIG_MAPS, {"metadata": metadata, "data": data})


@pytest.mark.usefixtures("volume")
async def test_what_lies_on_a_volume_is_recorded_by_the_digest_of_a_copy(
    world: World, cli: Run, artifact: str
) -> None:
    uri = "pvc://models/risk/fraud/1/model.onnx"

    result = await cli(*REGISTER, artifact, "--uri", uri)

    assert (result.code, result.err, versions(world)["fraud-detector-1"]["artifact"]) == (
        0,
        "",
        {"uri": uri, "digest": f"sha256:{DIGEST}", "format": "ONNX", "sizeBytes": len(BYTES)},
    )


@pytest.mark.usefixtures("volume")
async def test_nothing_is_sent_to_a_volume_and_the_way_is_said(
    world: World, cli: Run, artifact: str
) -> None:
    result = await cli(*REGISTER, artifact)

    assert (result.code, versions(world), result.err) == (
        1,
        {},
        (
            "The store shared is a volume, to which nothing can be sent from here. Copy "
            f"{artifact} there with a pod that mounts it, then: kubectl model register {artifact} "
            "--model fraud-detector --uri pvc://models/risk/<path>\n"
        ),
    )


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("pvc://models/hr/model.onnx", "is in no store that namespace risk may take"),
        ("pvc://models/risk/../hr/model.onnx", "does not say where an artifact lies"),
        ("pvc://models/risk/fraud/1/", "is a file, and the URI of a file does not end in a slash"),
        ("/models/risk/model.onnx", "it must begin with s3://"),
    ],
)
@pytest.mark.usefixtures("volume")
async def test_a_place_that_no_gate_would_read_is_refused(
    world: World, cli: Run, artifact: str, uri: str, words: str
) -> None:
    result = await cli(*REGISTER, artifact, "--uri", uri)

    assert (result.code, words in result.err, versions(world)) == (1, True, {})


@pytest.mark.usefixtures("volume")
async def test_a_place_without_a_copy_to_take_the_digest_of_is_refused(
    world: World, cli: Run
) -> None:
    result = await cli(*REGISTER, "--uri", "pvc://models/risk/model.onnx")

    assert (result.code, result.err) == (
        1,
        "--uri says where an artifact lies; give a copy of it too, as PATH.\n",
    )


async def test_nothing_to_register_is_said(world: World, cli: Run) -> None:
    result = await cli(*REGISTER)

    assert (result.code, result.err) == (
        1,
        "Nothing to register: give a file or folder, or --from with an artifact.\n",
    )


async def test_a_file_that_is_not_there_is_said(
    world: World, cli: Run, bucket: Bucket, tmp_path: Path
) -> None:
    result = await cli(*REGISTER, str(tmp_path / "none.onnx"))

    assert (result.code, "none.onnx" in result.err) == (1, True)


async def test_without_a_published_store_the_platform_team_is_named(
    world: World, cli: Run, artifact: str
) -> None:
    result = await cli(*REGISTER, artifact)

    assert (result.code, result.err.startswith("No store is published in modelwarden-system")) == (
        1,
        True,
    )


async def test_an_unknown_store_is_refused_with_those_that_there_are(
    world: World, cli: Run, bucket: Bucket, artifact: str
) -> None:
    result = await cli(*REGISTER, artifact, "--store", "attic")

    assert (result.code, result.err) == (1, "There is no store attic. There is models.\n")


async def test_a_format_that_the_names_do_not_tell_must_be_given(
    world: World, cli: Run, bucket: Bucket, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(BYTES)

    result = await cli(*REGISTER, str(path))

    assert (result.code, result.err.endswith("give it with --format.\n")) == (1, True)


async def test_a_store_that_denies_the_caller_is_a_sentence(
    world: World, cli: Run, bucket: Bucket, artifact: str
) -> None:
    stranger = {"AWS_ACCESS_KEY_ID": "stranger", "AWS_SECRET_ACCESS_KEY": "secret"}

    result = await cli(*REGISTER, artifact, env=stranger)

    assert (result.code, "The store denies access" in result.err, versions(world)) == (1, True, {})


async def test_naming_others_as_trainers_is_refused_by_the_servers_own_sentence(
    world: World, cli: Run, env: Mapping[str, str], artifact: str
) -> None:
    message = (
        'modelversions.modelwarden.io "fraud-detector-1" is forbidden: ValidatingAdmissionPolicy '
        "'modelwarden-version' with binding 'modelwarden-version' denied request: "
        "manager@example.com lacks the verb attest on models for fraud-detector in risk"
    )
    world.server.fail(
        where=lambda call: call.resource == MODEL_VERSIONS and call.is_write,
        answer=RefusalError(403, "Forbidden", message),
    )

    result = await cli(*REGISTER, artifact, "--trained-by", "scientist@example.com", env=env)

    assert (result.code, result.err.splitlines()[-1]) == (
        3,
        "manager@example.com lacks the verb attest on models for fraud-detector in risk",
    )
