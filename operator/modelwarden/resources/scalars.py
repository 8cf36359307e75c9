r"""The single values the API is made of: names, numbers, digests, decimals, times, sentences.

Patterns are written for the API server (Go) and for pydantic (Rust) alike. \s alone would not do:
it is ASCII to the one and Unicode to the other, and what only the first takes is never read.
"""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
CAMEL_CASE = r"^[A-Z][A-Za-z0-9]*$"
# Something to see: no spaces of any script, no control characters, nothing of no width alone.
NOT_BLANK = r"[^\s\p{Z}\p{Cc}\p{Cf}]"

# A model's name is part of object names, label values and generateNames: with a version of six
# digits, the longest stage and an attempt of four digits it ends at 63 characters.
LONGEST_MODEL_NAME: Final = 40
HIGHEST_VERSION: Final = 999_999
HIGHEST_ATTEMPT: Final = 9_999

ModelName: TypeAlias = Annotated[
    str, Field(pattern=NAME, min_length=1, max_length=LONGEST_MODEL_NAME)
]
PolicyName: TypeAlias = Annotated[str, Field(pattern=SUBDOMAIN, min_length=1, max_length=63)]
ObjectName: TypeAlias = Annotated[str, Field(pattern=SUBDOMAIN, min_length=1, max_length=253)]
Namespace: TypeAlias = Annotated[str, Field(pattern=NAME, min_length=1, max_length=63)]
Name: TypeAlias = Annotated[str, Field(pattern=NAME, min_length=1, max_length=63)]
Uid: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=128)]

VersionNumber: TypeAlias = Annotated[int, Field(ge=1, le=HIGHEST_VERSION)]
AttemptNumber: TypeAlias = Annotated[int, Field(ge=1, le=HIGHEST_ATTEMPT)]
LedgerIndex: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
Seconds: TypeAlias = Annotated[int, Field(ge=0, le=315_360_000)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=36_500)]

Digest: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
Commit: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$", max_length=40)]
# A number as text: what is written is what is compared and digested, with no rounding between.
Decimal: TypeAlias = Annotated[
    str, Field(pattern=r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$", max_length=38)
]
Amount: TypeAlias = Annotated[
    str, Field(pattern=r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$", max_length=37)
]
Ratio: TypeAlias = Annotated[
    str, Field(pattern=r"^(0(\.[0-9]{1,18})?|1(\.0{1,18})?)$", max_length=20)
]

Label: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=128)]
Sentence: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=1024)]
Rationale: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=2000)]
ShortText: TypeAlias = Annotated[str, Field(max_length=256)]
Text: TypeAlias = Annotated[str, Field(max_length=1024)]
LongText: TypeAlias = Annotated[str, Field(max_length=4096)]
Uri: TypeAlias = Annotated[
    str, Field(pattern=r"^[^\s\p{Z}\p{Cc}\p{Cf}]+$", min_length=1, max_length=1024)
]
Code: TypeAlias = Annotated[str, Field(pattern=CAMEL_CASE, min_length=1, max_length=64)]


def _is_a_time(text: str) -> str:
    # The pattern of RFC 3339 admits the 31st of February; the calendar does not.
    datetime.fromisoformat(text)
    return text


_RFC_3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})$"
)
# Kept as text, so that reading and writing an object changes nothing in it.
Time: TypeAlias = Annotated[
    str,
    Field(pattern=_RFC_3339, max_length=35, json_schema_extra={"format": "date-time"}),
    AfterValidator(_is_a_time),
]
