"""Why an artifact cannot be had: it is not there, must not be touched, or cannot be reached now."""

from modelwarden.errors import MisconfiguredError, ModelwardenError, UnavailableError


class ArtifactNotFoundError(ModelwardenError):
    """The store answered, and there is nothing at this place."""


class ArtifactRefusedError(ModelwardenError):
    """What is there must not be taken; `code` says why in one word, the message in a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class StoreDeniedError(MisconfiguredError):
    """The store knows these credentials too little, or not at all."""


class StoreUnavailableError(UnavailableError):
    """The store did not answer, or broke off; the same call may succeed later."""
