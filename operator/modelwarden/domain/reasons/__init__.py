"""Every code that is said of a wait, a refusal or a state: who must act, and what it means.

The README's list is generated from it, metrics have no other codes as labels, and a verdict that
brings no next step of its own takes the one from here.
"""

from collections.abc import Mapping

from modelwarden.domain.reasons import (
    asking,
    commands,
    deciding,
    files,
    gate_runs,
    gates,
    holding,
    policies,
    registering,
    serving,
)
from modelwarden.domain.reasons.reason import Reason

# In this order people meet them.
SUBJECTS: Mapping[str, Mapping[str, Reason]] = {
    "Registering a version": registering.REASONS,
    "Files and stores": files.REASONS,
    "Asking": asking.REASONS,
    "Policies": policies.REASONS,
    "Gates": gates.REASONS,
    "Gate Jobs": gate_runs.REASONS,
    "Votes, retries and reviews": deciding.REASONS,
    "Serving and leaving": serving.REASONS,
    "Command line": commands.REASONS,
    "As it should be": holding.REASONS,
}
HOLDING = "As it should be"

REASONS: Mapping[str, Reason] = {
    code: reason for reasons in SUBJECTS.values() for code, reason in reasons.items()
}

# The image of a gate may choose any word; numbers have one label for all of them.
FREE_CODE = "OfTheImage"


def reason_of(code: str) -> Reason:
    """Look a code up; a word that is not in the table was chosen by a gate's image."""
    return REASONS.get(code, REASONS[FREE_CODE])
