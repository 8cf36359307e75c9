from pathlib import Path

import pytest

from modelwarden.cli.port_forward import forwarded
from modelwarden.cli.session import Place
from modelwarden.errors import MisconfiguredError, UnavailableError
from tests.cli.ledger_copies import kubectl_that
from tests.waiting import eventually

HERE = Place()


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PATH", str(tmp_path))
    return monkeypatch


async def test_the_address_is_the_one_that_kubectl_names_and_kubectl_ends_with_us(
    on_path: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    says = f"echo $$ > {tmp_path}/pid; echo 'Forwarding from 127.0.0.1:4711 -> 8089'"
    on_path.setenv("PATH", kubectl_that(tmp_path, says)["PATH"])

    async with forwarded(HERE, "system", "deployment/controller", port=8089) as address:
        pid = int((tmp_path / "pid").read_text())
        assert (address, runs(pid)) == ("http://127.0.0.1:4711", True)

    await eventually(lambda: not runs(pid))


async def test_what_kubectl_says_when_it_fails_is_told(
    on_path: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    says = "echo 'error: pods is forbidden' >&2"
    on_path.setenv("PATH", kubectl_that(tmp_path, says, stays=False)["PATH"])

    with pytest.raises(UnavailableError, match="port-forward: error: pods is forbidden"):
        async with forwarded(HERE, "system", "deployment/controller", port=8089):
            pass


async def test_without_kubectl_it_is_said_that_there_is_none(on_path: pytest.MonkeyPatch) -> None:
    with pytest.raises(MisconfiguredError, match="there is none on the PATH"):
        async with forwarded(HERE, "system", "deployment/controller", port=8089):
            pass


async def test_context_and_kubeconfig_are_passed_on(
    on_path: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    says = "echo 'Forwarding from 127.0.0.1:1 -> 8089'"
    on_path.setenv("PATH", kubectl_that(tmp_path, says)["PATH"])
    place = Place(context="auditor", kubeconfig=Path("config"))

    async with forwarded(place, "system", "deployment/controller", port=8089):
        words = (tmp_path / "words").read_text()

    assert words == (
        "--kubeconfig config --context auditor port-forward --address 127.0.0.1 -n system "
        "deployment/controller :8089\n"
    )
