"""What the ledger says of a model's governance: its fields, its policy, its notes, what is gone."""

from dataclasses import replace

from modelwarden.domain.records import Record
from modelwarden.domain.state import ModelState, NotesState


def governed_changed(model: ModelState, record: Record) -> ModelState:
    """Keep what each field says by digest, who set it last, and of which object."""
    fields = dict(model.governance.fields)
    for name, change in record.facts["fields"].items():
        if change["to"]:
            fields[name] = change["to"]
        else:
            fields.pop(name, None)
    governance = replace(
        model.governance,
        uid=record.uids["model"],
        fields=fields,
        by=record.actor.username,
    )
    return replace(model, governance=governance)


def made_again(model: ModelState, record: Record) -> ModelState:
    """The Model came back as it was recorded, under another UID."""
    return replace(model, governance=replace(model.governance, uid=record.uids["model"]))


def governed_by(model: ModelState, policy: str) -> ModelState:
    """Keep the content of the policy that governs, by digest."""
    if not policy:
        return model
    return replace(model, governance=replace(model.governance, policy=policy))


def policy_changed(model: ModelState, record: Record) -> ModelState:
    """Another content of the policy governs from now on."""
    return governed_by(model, record.facts["to"])


def deletion_observed(model: ModelState, record: Record) -> ModelState:
    """Nothing is there under the recorded UID; all else stays as it was."""
    if record.version is None:
        return replace(model, governance=replace(model.governance, uid=""))
    version = replace(model.versions[record.version], uid="")
    return replace(model, versions=model.versions.put(record.version, version))


def notes_changed(model: ModelState, record: Record) -> ModelState:
    """Keep the notes by digest, and who last changed the part that votes rest on."""
    if record.version is None or record.version not in model.versions:
        return model
    version = model.versions[record.version]
    facts, known = record.facts, version.notes
    notes = NotesState(digest=facts["digest"], warnings=facts["warnings"])
    if facts["discardsVotes"]:
        notes = replace(notes, by=record.actor.username, index=record.index)
    elif known is not None:
        notes = replace(notes, by=known.by, index=known.index)
    version = replace(version, notes=notes)
    return replace(model, versions=model.versions.put(record.version, version))


def notes_at_first(record: Record) -> NotesState | None:
    """Read the notes that a version was registered with; None where the record does not say."""
    notes = record.facts.get("notes")
    return None if notes is None else NotesState(digest=notes["digest"], warnings=notes["warnings"])
