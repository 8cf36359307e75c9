"""The table of edits, through the policies of a real API server and with no webhook at all.

A caller with exactly the rights of a case is let through; one who holds everything but one of them
is refused, with the domain's own sentence.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from modelwarden.domain.authors import stamp
from modelwarden.domain.rights import Right
from tests.cluster.running import RunningCluster, until
from tests.domain.edit_cases import CASES, Case

from .callers import GROUP, Person, RefusedError
from .conftest import EDITOR
from .objects import holder_of, model, role_for, status_of

EVERY_VERB = tuple(
    dict.fromkeys(
        (verb, Right((verb,), right.subresource, right.resource, right.group, right.name))
        for case in CASES
        for right in case.needs
        for verb in right.verbs
    )
)


@pytest.fixture(scope="module")
def anybody(bare_cluster: RunningCluster, admin: Person, place: str) -> Person:
    """Somebody whose groups are the verbs they hold: each has a Role of its own."""
    roles = [part for verb, right in EVERY_VERB for part in role_for(verb, right)]
    bare_cluster.apply(*roles, namespace=place)
    verb, right = EVERY_VERB[-1]
    review = {
        "spec": {
            "user": "somebody",
            "groups": [holder_of(verb, right)],
            "resourceAttributes": {
                "verb": verb,
                "group": right.group,
                "resource": right.resource,
                "subresource": right.subresource,
                "namespace": place,
                "name": right.name or "x",
            },
        }
    }
    reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    until(lambda: admin.create(reviews, review)["status"]["allowed"], what="the Roles")
    return admin.named("somebody@example.com", EDITOR)


def holds(anybody: Person, verbs: set[str]) -> Person:
    return anybody.named(anybody.username, EDITOR, *sorted(verbs))


def sent(
    who: Person, case: Case, *, stored: Mapping[str, Any] | None, place: str, name: str
) -> None:
    """Send the edit of a case, stamped as the webhook would, without keeping anything of it."""
    collection = f"{GROUP}/namespaces/{place}/models"
    if stored is None:
        who.create(collection, model(name, case.new), dry_run=True)
        return
    authors = stamp(
        stored["spec"], case.new, case.status, caller=who.caller, request_id="this-request"
    )
    spec = {**case.new, **({"authors": authors} if authors else {})}
    version = {"resourceVersion": stored["metadata"]["resourceVersion"]}
    who.put(f"{collection}/{name}", model(name, spec, **version), dry_run=True)


@pytest.fixture(params=CASES, ids=lambda case: case.title)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def stored(case: Case, admin: Person, operator: Person, place: str) -> Iterator[Any]:
    """The Model before the edit, with the status that the operator wrote."""
    if case.old is None:
        yield None
        return
    collection = f"{GROUP}/namespaces/{place}/models"
    name = name_of(case)
    admin.create(collection, model(name, case.old))
    yield operator.merge(f"{collection}/{name}/status", {"status": status_of(case.status)})
    admin.delete(f"{collection}/{name}")


def name_of(case: Case) -> str:
    return f"case-{CASES.index(case)}"


def test_the_rights_of_the_case_are_enough(
    case: Case, stored: Any, anybody: Person, place: str
) -> None:
    for chosen in product(*(right.verbs for right in case.needs)):
        verbs = {holder_of(verb, right) for verb, right in zip(chosen, case.needs, strict=True)}

        sent(holds(anybody, verbs), case, stored=stored, place=place, name=name_of(case))


def test_all_other_rights_together_are_not(
    case: Case, stored: Any, anybody: Person, place: str
) -> None:
    for missing in case.needs:
        held = {holder_of(verb, right) for verb, right in EVERY_VERB if not _covers(right, missing)}

        with pytest.raises(RefusedError) as refusal:
            sent(holds(anybody, held), case, stored=stored, place=place, name=name_of(case))

        assert refusal.value.code == 403
        lacking = [right for right in case.needs if not _satisfied(right, held)]
        sentences = [
            right.lacked_by(anybody.username, model=name_of(case), namespace=place)
            for right in lacking
        ]
        assert any(sentence in str(refusal.value) for sentence in sentences)


def _covers(held: Right, missing: Right) -> bool:
    """A right without a name is one on all objects of the kind."""
    one, other = ((r.group, r.resource, r.subresource) for r in (held, missing))
    return (
        one == other and held.name in {"", missing.name} and set(held.verbs) <= set(missing.verbs)
    )


def _satisfied(right: Right, held: set[str]) -> bool:
    return any(holder_of(verb, right) in held for verb in right.verbs)
