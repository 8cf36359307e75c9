"""What the ledger says of a model's governance: its fields, its policy, its notes, what is gone."""

from dataclasses import replace

from modelwarden.domain.records import Record
from modelwarden.domain.state import ModelState, NotesState, OwedReview


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


def review_owed(model: ModelState, record: Record) -> ModelState:
    """Keep that a rollback is to be reviewed, where its policy asks for that."""
    due, attempt = record.facts.get("reviewDue"), model.attempts.get(record.transition)
    if due is None or attempt is None:
        return model
    owed = OwedReview(
        attempt=attempt.name,
        version=attempt.key.version,
        requester=attempt.requester.username,
        due=due,
    )
    return replace(model, reviews=replace(model.reviews, owed=(*model.reviews.owed, owed)))


def reviewed(model: ModelState, record: Record) -> ModelState:
    """Somebody has looked: the days count anew, and the rollbacks looked at are owed no more."""
    facts, reviews = record.facts, model.reviews
    settled = facts.get("rollbacks", ())
    reviews = replace(
        reviews,
        last=record.time if facts.get("ofModel") else reviews.last,
        seen=reviews.seen | {record.uids.get("decision", "")},
        owed=tuple(owed for owed in reviews.owed if owed.attempt not in settled),
    )
    return replace(model, reviews=reviews)


def notes_at_first(record: Record) -> NotesState | None:
    """Read the notes that a version was registered with; None where the record does not say."""
    notes = record.facts.get("notes")
    return None if notes is None else NotesState(digest=notes["digest"], warnings=notes["warnings"])
