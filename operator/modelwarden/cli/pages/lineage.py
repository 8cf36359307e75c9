"""`lineage`: what a version was made from, as a tree."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelwarden.cli.layout import Page, PageLine, Row, Span, Tone, line
from modelwarden.lineage.ancestors import Ancestry
from modelwarden.lineage.origins import Origin, origins

_LAST, _NEXT, _DOWN, _BLANK = "`- ", "|- ", "|  ", "   "


def lineage_page(ancestry: Ancestry) -> Page:
    """Show a version's ancestors, the nearest first."""
    return (line(Span(ancestry.key.text, Tone.STRONG)), *_below(ancestry, ""))


def origin_rows(spec: Mapping[str, Any]) -> Sequence[Row]:
    """Show what a spec names in rows; models of ours in the same way as the rest."""
    rows: list[Row] = [(origin.kind.value, origin.name, _told(origin)) for origin in origins(spec)]
    for base in spec.get("lineage", {}).get("baseModels", ()):
        if "model" in base:
            name = "/".join(filter(None, (base.get("namespace"), base["model"])))
            rows.append(("base model", f"{name} {base['version']}"))
    return rows or [("nothing recorded",)]


def _below(ancestry: Ancestry, prefix: str) -> Sequence[PageLine]:
    parts: list[Origin | Ancestry] = [*ancestry.origins, *ancestry.bases]
    lines: list[PageLine] = []
    for number, part in enumerate(parts, 1):
        is_last = number == len(parts)
        branch = Span(prefix + (_LAST if is_last else _NEXT), Tone.QUIET)
        if isinstance(part, Origin):
            facts = _told(part)
            told = f"  {facts}" if facts else ""
            lines.append(line(branch, Span(f"{part.kind} ", Tone.QUIET), part.name, told))
        else:
            remark = f" ({part.remark})" if part.remark else ""
            named = Span(part.key.text + remark, Tone.STRONG)
            lines.append(line(branch, Span("base model ", Tone.QUIET), named))
            lines.extend(_below(part, prefix + (_BLANK if is_last else _DOWN)))
    return lines


def _told(origin: Origin) -> str:
    return ", ".join(f"{name} {value}" for name, value in origin.facts)
