"""kubectl model promote: asking a version up into Staging or Production."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from modelwarden.cli.answers import Answer, CannotError, Format, name_of, sentences
from modelwarden.cli.layout import Page, line
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    Timeout,
    VersionNumber,
    Wait,
)
from modelwarden.cli.reading import read_model, read_version
from modelwarden.cli.render import as_yaml
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import Watch, seconds_to_wait, wait_for
from modelwarden.cli.writing import MANAGER, merge
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import MODELS
from modelwarden.domain.attempts_told import condition
from modelwarden.domain.explain import Subject
from modelwarden.domain.settling import Wish, settled
from modelwarden.domain.stage_edit import (
    difference,
    is_asked_for,
    other_keepers,
    part_of,
    request_id,
    with_request,
)
from modelwarden.domain.stages import Stage, is_above
from modelwarden.domain.verdicts import Verdict

# Somebody else may write the Model between our read and our write; so often it is read again.
TRIES = 5


class Target(StrEnum):
    """The stages that a version is promoted into."""

    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def stage(self) -> Stage:
        """The stage as the API writes it."""
        return Stage(self.value.capitalize())


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, why, and whether even of a Model that is kept in Git."""

    model: str
    version: int
    target: Stage
    reason: str
    force: bool

    @property
    def name(self) -> str:
        """The model and the version."""
        return f"{self.model} {self.version}"


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    to: Annotated[Target, typer.Option(help="The stage.")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the ledger.")],
    wait: Wait = False,
    timeout: Timeout = "15m",
    force: Annotated[
        bool,
        typer.Option("--force", help="Edit a Model that is kept in Git; it may undo that again."),
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Ask a version into Staging or Production."""
    request = Request(model=model, version=version, target=to.stage, reason=reason, force=force)

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        return await promote(session, request, seconds=seconds, output=output)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def promote(
    session: Session, request: Request, *, seconds: int = 0, output: Format | None = None
) -> Answer:
    """Write the request into the Model, or print the edit where the Model is kept in Git."""
    if not request.reason.strip():
        raise CannotError("--reason says why; it cannot be empty.")
    record = await read_version(session, request.model, request.version)
    ready = condition(record, "Ready")
    if ready.get("status") == "False":
        raise CannotError(f"{request.name} is invalid: {ready.get('message', '')}")
    for _ in range(TRIES):
        model = await read_model(session, request.model)
        stages = model["spec"].get("stages", {})
        if is_asked_for(stages, request.version, request.target):
            stage = _stage_of(request.version, model)
            if stage is request.target:
                return _unchanged(request, model)
            if stage is not None and is_above(stage, request.target):
                raise CannotError(_is_a_move_down(request, stage))
        wanted = with_request(stages, request.version, target=request.target, reason=request.reason)
        keepers = other_keepers(model["metadata"].get("managedFields", ()), MANAGER)
        if wanted != stages and keepers and not request.force:
            return _edit_to_commit(request, wanted, keepers=keepers)
        change = difference(stages, wanted)
        try:
            written = await _write(session, model, change)
        except ApiError as error:
            if not error.is_conflict:
                raise
            continue
        wish = _wish(request, written)
        if not seconds:
            written_only = Subject(model=written, version=request.version, record=None, attempts=())
            end = settled(wish, written_only)
            return _asked(request, written, end=end, is_new=bool(change))
        watch = Watch(model=request.model, wish=wish, seconds=seconds, output=output)
        return await wait_for(session, watch)
    raise CannotError(f"{request.model} is written by others all the time; try again.")


def _stage_of(version: int, model: JsonObject) -> Stage | None:
    """Say in which of the stages for promotion a version is."""
    stages = model.get("status", {}).get("stages", {})
    if stages.get("production", {}).get("version") == version:
        return Stage.PRODUCTION
    return Stage.STAGING if version in stages.get("staging", ()) else None


def _unchanged(request: Request, model: JsonObject) -> Answer:
    text = f"{request.name} is in {request.target} already; nothing was changed."
    return Answer(page=sentences(text), data=model, names=[name_of("models", request.model)])


def _is_a_move_down(request: Request, stage: Stage) -> str:
    return (
        f"{request.name} is in {stage}: {request.target} would be a move down, and nothing was "
        f"changed. It leaves {stage} when spec.stages.{stage.lower()} names another version or "
        "is removed."
    )


async def _write(session: Session, model: JsonObject, change: dict[str, Any]) -> JsonObject:
    if not change:
        return model
    version = {"resourceVersion": model["metadata"]["resourceVersion"]}
    patch = {"metadata": version, "spec": {"stages": change}}
    return await merge(session, MODELS, model["metadata"]["name"], patch=patch)


def _wish(request: Request, written: JsonObject) -> Wish:
    return Wish(
        version=request.version,
        target=request.target,
        request_id=request_id(written, part_of(request.version, request.target)),
        generation=written["metadata"].get("generation", 0),
    )


def _asked(request: Request, written: JsonObject, *, end: Verdict | None, is_new: bool) -> Answer:
    name = request.name
    follow = f"Follow it: kubectl model why {name} -n {written['metadata']['namespace']}"
    if end is not None and end.allows:
        said = [f"{name} is in {request.target}."]
    elif is_new and is_above(_stage_of(request.version, written) or request.target, request.target):
        said = [f"{name} is asked down from Production into {request.target}.", follow]
    elif is_new:
        said = [f"{name} is asked into {request.target}.", follow]
    else:
        before = f"{name} was asked into {request.target} with this reason before"
        said = [f"{before}; another reason asks again.", follow]
    return Answer(page=sentences(*said), data=written, names=[name_of("models", request.model)])


def _edit_to_commit(
    request: Request, wanted: dict[str, Any], *, keepers: tuple[str, ...]
) -> Answer:
    edit = {"spec": {"stages": wanted}}
    page: Page = (
        line(f"# {request.model} is kept in Git by {', '.join(keepers)}. Nothing was changed."),
        line("# Commit this, or say --force if its automatic sync is off:"),
        *(line(text) for text in as_yaml(edit).splitlines()),
    )
    return Answer(page=page, data=edit)
