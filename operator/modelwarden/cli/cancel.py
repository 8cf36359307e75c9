"""kubectl model cancel: taking back what was asked for and has not happened."""

from functools import partial

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.edits import (
    Edit,
    Manner,
    edit_stages,
    follow,
    line_of,
    line_of_production,
    where,
    wish_of,
)
from modelwarden.cli.options import (
    Context,
    Force,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    Timeout,
    Trial,
    Tried,
    VersionNumber,
    Wait,
    Yes,
)
from modelwarden.cli.reading import find_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import Ended, seconds_to_wait
from modelwarden.cluster.client import JsonObject
from modelwarden.domain.settling import called_off
from modelwarden.domain.stage_edit import (
    Line,
    open_request,
    part_of,
    stage_shown,
    without_request,
)
from modelwarden.domain.stages import Stage


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    wait: Wait = False,
    timeout: Timeout = "15m",
    force: Force = False,
    yes: Yes = False,
    dry_run: Tried = Trial.NONE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Take back the request that is open for a version; it stays where it is."""

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        manner = Manner(force=force, yes=yes, trial=dry_run, seconds=seconds, output=output)
        return await cancel(session, model, version, manner=manner)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def cancel(session: Session, name: str, version: int, *, manner: Manner) -> Answer:
    """Undo exactly the edit that asked; CannotError where nothing is open."""

    async def plan(model: JsonObject) -> Edit:
        return await _plan(session, model, version)

    return await edit_stages(session, name, plan, manner=manner)


async def _plan(session: Session, model: JsonObject, version: int) -> Edit:
    name = f"{model['metadata']['name']} {version}"
    stages = model["spec"].get("stages", {})
    shown = model.get("status", {}).get("stages", {})
    # A line may name a version that was never registered.
    record = await find_version(session, model["metadata"]["name"], version)
    at = stage_shown(shown, version) if (record or {}).get("status", {}).get("stage") else None
    part = open_request(stages, version, at=at)
    if part is None:
        raise CannotError(_nothing_is_open(name, at, model=model, exists=record is not None))
    back = await _line_back(session, model, version, part=part, at=at)
    wanted = without_request(stages, version, part=part, at=at, back=back)
    target = Stage(part.capitalize())
    left = open_request(wanted, version, at=at)
    more = f"The line in spec.stages.{left} stands; cancel once more to take that back too."

    def ended(written: JsonObject) -> Ended:
        return partial(called_off, wish_of(written, version, target, part=part_of(version, target)))

    return Edit(
        version=version,
        stages=wanted,
        said=(
            f"{name} is asked into {target} no more: {_what_was_done(part, stages, wanted)}.",
            *((more,) if left else ()),
            follow(model, version),
        ),
        ended=ended,
    )


async def _line_back(
    session: Session, model: JsonObject, version: int, *, part: str, at: Stage | None
) -> Line | None:
    if part == "production" or at is Stage.PRODUCTION:
        return await line_of_production(session, model)
    if at is Stage.STAGING:
        return await line_of(session, model, version, Stage.STAGING)
    return None


def _nothing_is_open(name: str, at: Stage | None, *, model: JsonObject, exists: bool) -> str:
    which, number = name.split()
    if at is not None:
        in_stage = f"in {at}" if at in (Stage.STAGING, Stage.PRODUCTION) else str(at)
        text = f"{name} is {in_stage}, and nothing else is asked of it."
    elif exists:
        text = f"{name} is being registered, and spec.stages asks nothing of it."
    else:
        text = f"{which} has no version {number}, and spec.stages asks nothing of it."
    return f"{text} Nothing was changed. See kubectl model get {which} {where(model)}."


def _what_was_done(part: str, stages: JsonObject, wanted: JsonObject) -> str:
    production = wanted.get("production")
    if stages.get("production") != production:
        if production is None:
            return "the line in spec.stages.production is gone"
        return f"spec.stages.production names {production['version']} again"
    before = {entry["version"] for entry in stages.get("staging", ())}
    returned = [e["version"] for e in wanted.get("staging", ()) if e["version"] not in before]
    if returned:
        return f"its line in spec.stages.{part} is gone, and the one in staging is back"
    return f"its line in spec.stages.{part} is gone"
