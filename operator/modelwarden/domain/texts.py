"""Texts of others, cut to what a field or a record has room for."""

LONGEST_MESSAGE = 4096
LONGEST_SENTENCE = 1024


def shortened(text: str, longest: int) -> str:
    """Cut a text that is too long for its field, and show that it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def within_bytes(text: str, most: int) -> str:
    """Cut a text to so many bytes of UTF-8, between two characters."""
    return text.encode()[:most].decode(errors="ignore")
