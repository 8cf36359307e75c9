"""Who may decide, by the policies alone."""

from typing import Any

import pytest

from modelwarden.domain.rights import DECISION_VERBS, Right
from tests.cluster.running import RunningCluster

from .callers import GROUP, Person, RefusedError
from .conftest import EDITOR
from .objects import DIGEST, binding, decision, holder_of, role, role_for

VERBS = {verb: Right((verb,), "production") for verb in set(DECISION_VERBS.values())}
ONE_MODEL = "approvers-of-fraud-detector"


@pytest.fixture(scope="module", autouse=True)
def _roles(bare_cluster: RunningCluster, place: str) -> None:
    only = {
        "apiGroups": ["modelwarden.io"],
        "resources": ["models/production"],
        "verbs": ["approve"],
        "resourceNames": ["fraud-detector"],
    }
    roles = [part for verb, right in VERBS.items() for part in role_for(verb, right)]
    bare_cluster.apply(*roles, role(ONE_MODEL, only), binding(ONE_MODEL), namespace=place)


@pytest.fixture
def voter(admin: Person) -> Person:
    return admin.named("owner@example.com", EDITOR)


def holding(voter: Person, *verbs: str) -> Person:
    groups = (holder_of(verb, VERBS[verb]) for verb in verbs)
    return voter.named(voter.username, EDITOR, *groups)


def decide(who: Person, place: str, body: dict[str, Any], **by: Any) -> Any:
    stamp = {**who.caller.to_json(), **by}
    spec = {**body["spec"], "by": stamp}
    collection = f"{GROUP}/namespaces/{place}/modeldecisions"
    return who.create(collection, {**body, "spec": spec}, dry_run=True)


@pytest.mark.parametrize("kind", DECISION_VERBS)
def test_a_decision_takes_its_own_verb(voter: Person, place: str, kind: str) -> None:
    decide(holding(voter, DECISION_VERBS[kind]), place, decision(kind))


@pytest.mark.parametrize("kind", DECISION_VERBS)
def test_the_other_verbs_do_not_do(voter: Person, place: str, kind: str) -> None:
    verb = DECISION_VERBS[kind]
    others = holding(voter, *(set(VERBS) - {verb}))

    with pytest.raises(RefusedError) as refusal:
        decide(others, place, decision(kind))

    lacking = f"owner@example.com lacks the verb {verb} on models/production"
    assert f"{lacking} for fraud-detector in {place}" in str(refusal.value)
    assert refusal.value.code == 403


def test_the_right_may_be_for_one_model_only(voter: Person, place: str) -> None:
    person = voter.named(voter.username, EDITOR, ONE_MODEL)

    decide(person, place, decision())

    with pytest.raises(RefusedError, match="lacks the verb approve"):
        decide(person, place, decision(model="other"))


def test_the_right_is_for_the_stage_that_the_decision_names(voter: Person, place: str) -> None:
    with pytest.raises(RefusedError, match="lacks the verb approve on models/staging"):
        decide(holding(voter, "approve"), place, decision(stage="Staging"))


@pytest.mark.parametrize(
    "by",
    [
        {"username": "reviewer@example.com"},
        {"uid": "another"},
        {"groups": ["risk-reviewers"]},
        {"groups": []},
    ],
    ids=str,
)
def test_nobody_votes_in_the_name_of_another(admin: Person, place: str, by: dict[str, Any]) -> None:
    person = admin.named("platform@example.com", "system:masters")

    with pytest.raises(RefusedError, match=r"spec.by must be you \(platform@example.com\)"):
        decide(person, place, decision(), **by)


def test_a_vote_without_a_voter_is_refused(voter: Person, place: str) -> None:
    collection = f"{GROUP}/namespaces/{place}/modeldecisions"

    with pytest.raises(RefusedError, match=r"spec\.by is missing and stamping is off"):
        holding(voter, "approve").create(collection, decision(), dry_run=True)


def test_a_service_account_decides_nothing(admin: Person, place: str) -> None:
    account = admin.named("system:serviceaccount:argocd:argocd", "system:masters")

    with pytest.raises(RefusedError, match="decisions come from people, not from service accounts"):
        decide(account, place, decision())


def test_a_decision_is_never_edited(voter: Person, admin: Person, place: str) -> None:
    collection = f"{GROUP}/namespaces/{place}/modeldecisions"
    person = holding(voter, "approve")
    body = decision()
    body["spec"]["by"] = person.caller.to_json()
    name = person.create(collection, body)["metadata"]["name"]

    with pytest.raises(RefusedError, match="never edited"):
        person.merge(f"{collection}/{name}", {"spec": {"rationale": "Changed my mind."}})
    with pytest.raises(RefusedError, match="never edited"):
        admin.merge(f"{collection}/{name}", {"metadata": {"labels": {"team": "risk"}}})


def test_the_operator_may_label_a_decision(voter: Person, operator: Person, place: str) -> None:
    collection = f"{GROUP}/namespaces/{place}/modeldecisions"
    person = holding(voter, "approve")
    body = decision()
    body["spec"]["by"] = person.caller.to_json()
    name = person.create(collection, body)["metadata"]["name"]

    operator.merge(f"{collection}/{name}", {"metadata": {"labels": {"modelwarden.io/seen": "1"}}})


def about_a_policy() -> dict[str, Any]:
    body = decision("Review")
    spec = {
        "policy": {"name": "standard", "digest": DIGEST},
        "decision": "Review",
        "rationale": "Looked at the change.",
    }
    return {**body, "spec": spec}


def test_a_policy_is_reviewed_in_the_operators_namespace_only(admin: Person, place: str) -> None:
    person = admin.named("platform@example.com", "system:masters")

    decide(person, "modelwarden-system", about_a_policy())

    with pytest.raises(RefusedError, match="may not decide about the ModelPolicy standard"):
        decide(person, place, about_a_policy())


def test_a_policy_is_reviewed_by_who_may_approve_it(
    bare_cluster: RunningCluster, admin: Person
) -> None:
    create = {
        "apiGroups": ["modelwarden.io"],
        "resources": ["modeldecisions"],
        "verbs": ["create"],
    }
    system = "modelwarden-system"
    bare_cluster.apply(role("deciders", create), binding("deciders"), namespace=system)

    with pytest.raises(RefusedError, match="may not decide about the ModelPolicy standard"):
        decide(admin.named("owner@example.com", "deciders"), system, about_a_policy())
