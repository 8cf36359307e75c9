"""Images are built once for the same sources, whoever builds them, and carry what they copy."""

import json
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.local import dockerfile, images
from tests.cluster.pods import alone, pod, settled
from tests.cluster.running import RunningCluster

DOCKERFILE = """ARG PYTHON=python:3.13-slim
FROM ${PYTHON} AS operator
COPY greeting.py names/*.txt /app/
ENTRYPOINT ["python3", "/app/greeting.py"]
FROM operator AS validator
RUN python3 -c "print('validating')"
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "greeting.py").write_text("print('hello', open('/app/who.txt').read())")
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "who.txt").write_text("world")
    return tmp_path


@pytest.fixture
def reference() -> Iterator[str]:
    reference = f"modelwarden-test/greeting:{secrets.token_hex(3)}"
    yield reference
    dockerfile.forget(reference)


def test_an_image_is_built_again_only_when_its_sources_change(
    context: Path, reference: str
) -> None:
    assert dockerfile.build(context, "operator", reference)
    assert not dockerfile.build(context, "operator", reference)

    (context / "names" / "who.txt").write_text("everybody")

    assert dockerfile.build(context, "operator", reference)


@pytest.mark.parametrize(
    ("change", "matters"),
    [("greeting.py", True), ("names/who.txt", True), ("names/who.md", False), ("NOTES", False)],
)
def test_only_what_is_copied_is_a_source(context: Path, change: str, *, matters: bool) -> None:
    before = dockerfile.sources_digest(context, "operator")
    (context / change).write_text("changed")

    assert (dockerfile.sources_digest(context, "operator") != before) is matters


def test_a_built_image_runs_in_the_cluster(
    cluster: RunningCluster, namespace: str, context: Path, reference: str
) -> None:
    dockerfile.build(context, "validator", reference)
    cluster.load_image(reference)
    spec = pod()
    spec["containers"][0] |= {"image": reference}
    spec["securityContext"]["runAsUser"] = 65532

    cluster.apply(alone("greeting", spec), namespace=namespace)

    assert settled(cluster, namespace, "greeting")["exitCode"] == 0
    answer = cluster.kubectl(None, f"--namespace={namespace}", "logs", "greeting")
    assert answer == "hello world\n"


def test_an_image_of_a_few_files_is_the_same_bytes_each_time() -> None:
    image = images.Scratch(
        reference="modelwarden-test/files:1", entrypoint=("/a",), files={"/a": b"program"}
    )
    first = images.archive(image).read_bytes()

    written = images.archive(image)

    assert written.read_bytes() == first
    with tarfile.open(written) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.loads(manifest.read())[0]["RepoTags"] == ["modelwarden-test/files:1"]
    written.unlink()


def test_an_unknown_image_is_refused_with_a_sentence() -> None:
    with (
        pytest.raises(images.NoSuchImageError, match="no image 'nowhere:1'"),
        images.archive_of("nowhere:1"),
    ):
        pass


def test_the_files_of_a_stage_that_a_target_is_not_built_on_are_no_source_of_it(
    context: Path,
) -> None:
    more = "FROM ${PYTHON} AS other\nCOPY NOTES /\n"
    (context / "Dockerfile").write_text(DOCKERFILE + more)
    before = dockerfile.sources_digest(context, "validator")

    (context / "NOTES").write_text("changed")

    assert dockerfile.sources_digest(context, "validator") == before
