"""kubectl model logs: what a version's gates wrote while they ran."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.gates import attempts_of
from modelwarden.cli.layout import Page, Span, Tone, line
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    VersionNumber,
)
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import PODS
from modelwarden.domain import labels
from modelwarden.domain.attempts_told import Raw, latest_attempts


@dataclass(frozen=True, kw_only=True)
class Log:
    """What one gate wrote, and where that was read; `source` is empty where nothing is kept."""

    attempt: str
    gate: str
    outcome: str
    source: str
    text: str
    pod: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the log as JSON."""
        told = {"transition": self.attempt, "gate": self.gate, "outcome": self.outcome}
        return told | {"source": self.source, "log": self.text}


def command(
    model: ModelName,
    version: VersionNumber,
    gate: Annotated[
        str | None, typer.Argument(metavar="[GATE]", help="One gate, by its name.")
    ] = None,
    *,
    tail: Annotated[
        int, typer.Option(help="How many of the last lines.", min=1, max=100_000)
    ] = 100,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show the logs of a version's gates: of their pods while those are there, else as kept.

    Of a gate that failed the end of the log is kept with its result.
    """
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: logs(session, model, version, gate=gate, tail=tail))


async def logs(
    session: Session, model: str, version: int, *, gate: str | None, tail: int
) -> Answer:
    """Read the logs of the latest attempts."""
    attempts = latest_attempts(await attempts_of(session, model, version))
    chosen = [
        (attempt, one)
        for attempt in attempts
        for one in attempt.get("status", {}).get("gates", ())
        if gate is None or one["name"] == gate
    ]
    if not chosen:
        raise CannotError(_no_such_gate(model, version, gate, attempts=attempts))
    reader = _Reader(session, tail)
    found = [log for attempt, one in chosen for log in await reader.logs(attempt, one)]
    # Of all gates only those are shown that wrote something.
    shown = [log for log in found if log.source] or found if gate is None else found
    return Answer(
        page=_page(shown),
        data=[log.to_json() for log in found],
        names=[f"pod/{log.pod}" for log in found if log.pod],
    )


class _Reader:
    """Reads the pods of gates for as long as the caller turns out to be allowed to."""

    def __init__(self, session: Session, tail: int) -> None:
        self._session = session
        self._tail = tail
        self._may = True

    async def logs(self, attempt: Raw, gate: Mapping[str, Any]) -> list[Log]:
        home, _, _ = str(gate.get("job", "")).partition("/")
        pods = await self._pods(home, attempt, gate) if home and self._may else []
        live = [log for pod in pods for log in await self._of_pod(pod, attempt, gate)]
        return live or [_kept(attempt, gate, tail=self._tail)]

    async def _pods(self, home: str, attempt: Raw, gate: Mapping[str, Any]) -> list[JsonObject]:
        client = await self._session.client()
        selector = f"{labels.ATTEMPT}={attempt['metadata']['uid']},{labels.GATE}={gate['name']}"
        try:
            found = await client.list(PODS, home, labels=selector)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            self._may = False
            self._session.screen.warn(
                f"You may not read pods in {home}: shown is what results keep."
            )
            return []
        return sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))

    async def _of_pod(self, pod: JsonObject, attempt: Raw, gate: Mapping[str, Any]) -> list[Log]:
        metadata, found = pod["metadata"], []
        client = await self._session.client()
        for container in _containers(pod):
            try:
                text = await client.logs(
                    metadata["name"], metadata["namespace"], container=container, tail=self._tail
                )
            except ApiError as error:
                if not (error.is_forbidden or error.is_not_found or error.code == _BAD_REQUEST):
                    raise
                # The container has not begun, or its pod has just been removed.
                text = error.message
            found.append(
                Log(
                    attempt=attempt["metadata"]["name"],
                    gate=gate["name"],
                    outcome=gate["outcome"],
                    source=f"{metadata['namespace']}/{metadata['name']} ({container})",
                    text=text,
                    pod=metadata["name"],
                )
            )
        return found


_BAD_REQUEST = 400


def _containers(pod: JsonObject) -> list[str]:
    spec, status = pod["spec"], pod.get("status", {})
    named = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    told = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return [container["name"] for container in (named or told)]


def _kept(attempt: Raw, gate: Mapping[str, Any], *, tail: int) -> Log:
    kept = str(gate.get("logTail", "")).splitlines()
    return Log(
        attempt=attempt["metadata"]["name"],
        gate=gate["name"],
        outcome=gate["outcome"],
        source="kept with the result" if kept else "",
        text="\n".join(kept[-tail:]),
    )


def _page(found: Iterable[Log]) -> Page:
    page: list[tuple[Span, ...]] = []
    for log in found:
        where = f" from {log.source}" if log.source else ": no log is kept, and no pod is there"
        title = f"{log.attempt} {log.gate} ({log.outcome})"
        page.append(line(Span(title, Tone.STRONG), Span(where, Tone.QUIET)))
        page += [line(f"  {text}") for text in log.text.splitlines()]
    return tuple(page)


def _no_such_gate(model: str, version: int, gate: str | None, *, attempts: Iterable[Raw]) -> str:
    names = dict.fromkeys(
        one["name"] for a in attempts for one in a.get("status", {}).get("gates", ())
    )
    if not names:
        return f"No gate was asked yet for {model} {version}."
    return f"{model} {version} has no gate {gate}. It has {', '.join(names)}."
