import pytest

from modelwarden.cluster.access import (
    Access,
    Action,
    Subject,
    review_access,
    review_own_access,
    who_am_i,
)
from modelwarden.cluster.client import ApiClient
from modelwarden.errors import UnavailableError
from tests.fakes.api_server import FakeApiServer
from tests.fakes.store import RefusalError

APPROVE = Action(
    verb="approve",
    group="modelwarden.io",
    resource="models",
    subresource="production",
    namespace="risk",
    name="fraud",
)


async def test_a_review_asks_about_the_subject_with_its_groups(
    client: ApiClient, server: FakeApiServer
) -> None:
    asked: list[object] = []

    def review(spec: object) -> bool:
        asked.append(spec)
        return True

    server.review = review
    subject = Subject(username="owner@example.com", groups=("owners",), uid="1")

    access = await review_access(client, subject, APPROVE)

    assert access == Access(allowed=True)
    assert asked == [
        {
            "user": "owner@example.com",
            "groups": ["owners"],
            "uid": "1",
            "resourceAttributes": {
                "verb": "approve",
                "group": "modelwarden.io",
                "resource": "models",
                "subresource": "production",
                "namespace": "risk",
                "name": "fraud",
            },
        }
    ]


async def test_a_caller_asks_about_itself(server: FakeApiServer) -> None:
    server.review = lambda spec: spec["user"] == "owner@example.com"
    async with server.client("owner@example.com") as owner, server.client("other") as other:
        answers = [(await review_own_access(one, APPROVE)).allowed for one in (owner, other)]

    assert answers == [True, False]


async def test_a_caller_learns_who_it_is(server: FakeApiServer) -> None:
    server.users["token"] = {"username": "owner@example.com", "groups": ["owners"], "uid": "1"}
    async with server.client("token") as client:
        subject = await who_am_i(client)

    assert subject == Subject(username="owner@example.com", groups=("owners",), uid="1")


async def test_a_review_that_was_not_answered_is_no_denial(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.fail(answer=RefusalError(503, "ServiceUnavailable", "try again"))

    with pytest.raises(UnavailableError):
        await review_access(client, Subject(username="owner@example.com"), APPROVE)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            'clusterroles "gone" not found',
            Access(allowed=False, reason='clusterroles "gone" not found'),
        ),
        ("webhook: connection refused", None),
    ],
)
async def test_an_authorizer_that_failed_is_no_denial_but_a_missing_role_is(
    client: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    expected: Access | None,
) -> None:
    async def create(*_: object) -> dict[str, object]:
        return {"status": {"allowed": False, "evaluationError": error}}

    monkeypatch.setattr(client, "create", create)
    try:
        access = await review_access(client, Subject(username="owner@example.com"), APPROVE)
    except UnavailableError:
        access = None

    assert access == expected
