"""A Model whose stages are kept in Git: the edit to commit, and when it may be edited here."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.layout import Page, line
from modelwarden.cli.render import as_yaml
from modelwarden.cli.session import Session
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import APPLICATIONS, HELM_RELEASES, KUSTOMIZATIONS, Resource
from modelwarden.domain.auto_sync import Tool, Tracker, is_let_alone, sync_is_off, tracker_of

_RESOURCES: Mapping[Tool, Resource] = {
    Tool.APPLICATION: APPLICATIONS,
    Tool.KUSTOMIZATION: KUSTOMIZATIONS,
    Tool.HELM_RELEASE: HELM_RELEASES,
}


def edit_to_commit(
    model: JsonObject, wanted: Mapping[str, Any], *, keepers: Sequence[str]
) -> Answer:
    """Print the stages as they are to be committed."""
    name, edit = model["metadata"]["name"], {"spec": {"stages": dict(wanted)}}
    page: Page = (
        line(f"# {name} is kept in Git by {', '.join(keepers)}. Nothing was changed."),
        line("# Commit this, or say --force if its automatic sync is off:"),
        *(line(text) for text in as_yaml(edit).splitlines()),
    )
    return Answer(page=page, data=edit)


async def may_be_forced(
    session: Session, model: JsonObject, keepers: Sequence[str], *, yes: bool
) -> None:
    """Refuse an edit that a sync would undo; where that cannot be seen, only --yes allows it."""
    metadata = model["metadata"]
    tracker = tracker_of(metadata, keepers)
    if is_let_alone(metadata):
        return
    if tracker is None:
        why = f"Whether {', '.join(keepers)} undoes the edit cannot be told from here."
    else:
        verdict = sync_is_off(tracker, await _read(session, tracker))
        if verdict.allows:
            return
        if verdict.denies:
            raise CannotError(verdict.sentence, verdict.next_step, "Nothing was changed.")
        why = verdict.sentence
    if not yes:
        raise CannotError(
            f"{why} Say --yes too if its automatic sync is off.", "Nothing was changed."
        )


async def _read(session: Session, tracker: Tracker) -> JsonObject | None:
    """Read the tool's object; None where it is not there, or the caller may not read it."""
    client = await session.client()
    if not tracker.namespace:
        return None
    try:
        return await client.find(_RESOURCES[tracker.tool], tracker.name, tracker.namespace)
    except ApiError as error:
        if error.is_forbidden:
            return None
        raise
