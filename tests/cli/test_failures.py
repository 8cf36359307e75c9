from typing import Any

import pytest

from modelwarden.cli.answers import CannotError, Exit
from modelwarden.cli.failures import Failure, failure_of
from modelwarden.cluster.answers import ApiError
from modelwarden.errors import MisconfiguredError, ModelwardenError, UnavailableError

POLICY = (
    'models.modelwarden.io "fraud-detector" is forbidden: ValidatingAdmissionPolicy '
    "'modelwarden-model-rights' with binding 'modelwarden-model-rights' denied request: "
)
RBAC = (
    'models.modelwarden.io "fraud-detector" is forbidden: User "jo@example.com" cannot patch '
    'resource "models" in API group "modelwarden.io" in the namespace "risk"'
)


def api(code: int, reason: str, message: str, **details: Any) -> ApiError:
    return ApiError(code=code, reason=reason, message=message, details=details)


def cause(field: str, message: str) -> dict[str, str]:
    return {"reason": "FieldValueInvalid", "field": field, "message": message}


@pytest.mark.parametrize(
    ("error", "sentences", "ending"),
    [
        (
            api(403, "Forbidden", POLICY + "jo lacks the verb promote on models/production"),
            ("jo lacks the verb promote on models/production",),
            Exit.REFUSED,
        ),
        (
            api(403, "", 'admission webhook "m.modelwarden.io" denied the request: One.\nTwo.\n'),
            ("One.", "Two."),
            Exit.REFUSED,
        ),
        (
            api(400, "", 'admission webhook "m.modelwarden.io" denied the request: No groups.'),
            ("No groups.",),
            Exit.REFUSED,
        ),
        (
            api(403, "Forbidden", RBAC),
            ("jo@example.com may not patch models in risk.",),
            Exit.REFUSED,
        ),
        (
            api(
                403,
                "Forbidden",
                'modelpolicies.modelwarden.io is forbidden: User "jo" cannot list resource '
                '"modelpolicies" in API group "modelwarden.io" at the cluster scope',
            ),
            ("jo may not list modelpolicies.",),
            Exit.REFUSED,
        ),
        (
            api(401, "Unauthorized", "Unauthorized"),
            ("The API server does not know this login: log in again, or check --context.",),
            Exit.FAILED,
        ),
        (
            api(
                422,
                "Invalid",
                'Model.modelwarden.io "fraud-detector" is invalid',
                causes=[
                    cause(
                        "spec.stages.production.reason",
                        'Invalid value: "same": another version needs a reason of its own',
                    ),
                    cause("spec.owners", "Required value"),
                    cause("spec.owners", "Required value"),
                    cause(
                        "spec.stages.staging[1].reason",
                        'Invalid value: "": spec.stages.staging[1].reason in body should be at '
                        "least 1 chars long",
                    ),
                ],
            ),
            (
                "spec.stages.production.reason: another version needs a reason of its own",
                "spec.owners: Required value",
                "spec.stages.staging[1].reason: should be at least 1 chars long",
            ),
            Exit.FAILED,
        ),
        (api(422, "Invalid", "is invalid"), ("is invalid",), Exit.FAILED),
        (
            api(404, "NotFound", "the server could not find the requested resource"),
            ("the server could not find the requested resource",),
            Exit.FAILED,
        ),
        (
            UnavailableError("GET /apis: the API server did not answer"),
            (
                "GET /apis: the API server did not answer",
                "Nothing may have been done: look again.",
            ),
            Exit.FAILED,
        ),
        (MisconfiguredError("kubeconfig: none"), ("kubeconfig: none",), Exit.FAILED),
        (CannotError("One.", "Two.", ending=Exit.WAITING), ("One.", "Two."), Exit.WAITING),
    ],
)
def test_a_failure_says_what_a_person_can_use(
    error: ModelwardenError, sentences: tuple[str, ...], ending: Exit
) -> None:
    assert failure_of(error) == Failure(sentences, ending)
