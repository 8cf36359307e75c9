"""Texts of others, cut to what a field or a record has room for."""

import unicodedata

LONGEST_MESSAGE = 4096
LONGEST_SENTENCE = 1024


def plain(text: str) -> str:
    """Keep text that a terminal, a log or a page shows as it is, and nothing that they obey."""
    shown = "".join("\ufffd" if unicodedata.category(c)[0] == "C" else c for c in text)
    return unicodedata.normalize("NFC", shown)


def plain_lines(text: str) -> str:
    """Keep the lines of a text, each plain."""
    return "\n".join(plain(line) for line in text.splitlines())


def shortened(text: str, longest: int) -> str:
    """Cut a text that is too long for its field, and show that it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def within_bytes(text: str, most: int) -> str:
    """Cut a text to so many bytes of UTF-8, between two characters."""
    return text.encode()[:most].decode(errors="ignore")
