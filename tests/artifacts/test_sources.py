"""The rules of a listing hold for every store, also for one whose keys no disk could hold."""

import pytest

from modelwarden.artifacts.failures import ArtifactNotFoundError, ArtifactRefusedError
from modelwarden.artifacts.sources import Limits, StoredFile, within


def listing(*names: str) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(name, 1) for name in names)


def test_a_plain_listing_passes_unchanged() -> None:
    files = listing("model.onnx", "weights/a", "weights/b/c")

    assert within(Limits(), files) == files


def test_nothing_is_not_found() -> None:
    with pytest.raises(ArtifactNotFoundError):
        within(Limits(), ())


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/x", "/etc/passwd", "a/../../b", "a//b", "a/", ".", "a\nb", "a\0b", "-x"],
)
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ArtifactRefusedError) as refused:
        within(Limits(), listing("model.onnx", name))

    assert refused.value.code == "FileNameRefused"


def test_a_name_that_is_a_file_and_a_folder_is_refused() -> None:
    with pytest.raises(ArtifactRefusedError) as refused:
        within(Limits(), listing("a", "a/b/c"))

    assert refused.value.code == "FileNameRefused"
