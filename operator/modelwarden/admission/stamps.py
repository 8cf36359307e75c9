"""Whether a login can be stamped at all: what the schema would refuse without saying why."""

from modelwarden.domain.identity import Caller
from modelwarden.domain.verdicts import Verdict, deny

MOST_GROUPS = 512
LONGEST_GROUP = 256
LONGEST_USERNAME = 512


def unstampable(caller: Caller) -> Verdict | None:
    """Refuse a login that does not fit into a stamp; None if it does."""
    if len(caller.groups) > MOST_GROUPS:
        return deny(
            "TooManyGroups",
            f"{caller.username} is in {len(caller.groups)} groups, a stamp holds {MOST_GROUPS}.",
            "Use a login with fewer groups, or have the identity provider send fewer.",
        )
    longest = max(caller.groups, key=len, default="")
    if len(longest) > LONGEST_GROUP:
        return deny(
            "GroupNameTooLong",
            f"{caller.username} is in the group {longest[:40]}..., whose name has {len(longest)} "
            f"characters, and a stamp holds {LONGEST_GROUP}.",
            "Have the identity provider send shorter names of groups.",
        )
    if len(caller.username) > LONGEST_USERNAME or len(caller.uid) > LONGEST_GROUP:
        return deny(
            "LoginTooLong",
            f"The login {caller.username[:40]}... is longer than a stamp holds.",
            "Use a shorter login.",
        )
    return None
