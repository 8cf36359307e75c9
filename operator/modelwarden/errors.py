"""Errors, named by who must act.

A refusal or a wait is a value of the domain; these are for what no value can answer.
"""


class ModelwardenError(Exception):
    """Something a caller cannot go on from."""


class MalformedObjectError(ModelwardenError):
    """An object that its author must correct; the message starts with the field's path."""


class MisconfiguredError(ModelwardenError):
    """Settings or an installation that the platform team must correct."""


class UnavailableError(ModelwardenError):
    """A service that did not answer; the same call may succeed later."""


class LedgerUnavailableError(UnavailableError):
    """The ledger's store did not answer; nothing is known to have been committed."""


class LedgerConflictError(ModelwardenError):
    """Another record of the same model came first: decide again."""


class LedgerNewerError(ModelwardenError):
    """The ledger was written by a newer release than this one reads."""


class LedgerLostError(ModelwardenError):
    """The ledger is behind its anchor or has another origin: only an explicit restore goes on."""


class LedgerBrokenError(ModelwardenError):
    """The ledger's bytes do not verify: index, what and where are in the message."""


class LeadershipLostError(ModelwardenError):
    """Another process holds the lease: this one must stop writing at once."""


def code_of(problem: ModelwardenError) -> str:
    """Name in one word why there is no ledger, as conditions and metrics do."""
    match problem:
        case LedgerNewerError():
            return "LedgerNewer"
        case LedgerLostError():
            return "LedgerLost"
        case LedgerBrokenError():
            return "LedgerBroken"
        case _:
            # Whatever else keeps it from being opened may be over at the next try.
            return "LedgerUnavailable"
