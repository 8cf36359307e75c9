"""What `--help` of each verb shows to begin with."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "register": (
        "register ./model.onnx --model fraud-detector --from record.yaml --wait",
        "register --model fraud-detector --from record.yaml --dry-run client -o yaml",
    ),
    "get": ("get", "get fraud-detector -n risk", "get -A -o wide"),
    "versions": ("versions fraud-detector", "versions fraud-detector --stage staging -o wide"),
    "describe": ("describe fraud-detector", "describe fraud-detector 3"),
    "diff": ("diff fraud-detector 3", "diff fraud-detector 2 3 -o json"),
    "why": ("why fraud-detector 3", "why fraud-detector"),
    "gates": ("gates fraud-detector 3", "gates fraud-detector 3 --all -o wide"),
    "logs": ("logs fraud-detector 3", "logs fraud-detector 3 holdout --tail 20"),
    "promote": (
        'promote fraud-detector 3 --to staging --reason "Candidate with device features"',
        'promote fraud-detector 3 --to production --reason "Recall +4, RISK-123" --wait',
    ),
    "demote": (
        'demote fraud-detector 3 --reason "Drifts on new devices"',
        'demote fraud-detector 3 --to archived --reason "Withdrawn, RISK-140"',
    ),
    "archive": ('archive fraud-detector 1 --reason "Superseded"',),
    "cancel": ("cancel fraud-detector 3",),
    "rollback": (
        'rollback fraud-detector --reason "Latency, RISK-141" --wait',
        'rollback fraud-detector --to 1 --reason "Latency, RISK-141"',
    ),
    "approve": (
        'approve fraud-detector 3 --rationale "Reviewed the segment report."',
        'approve fraud-detector 3 --rationale "Reviewed." --yes --wait --timeout 30m',
    ),
    "reject": ('reject fraud-detector 3 --rationale "The 18-25 segment is too small."',),
    "retract": ("retract fraud-detector 3",),
    "retry": (
        'retry fraud-detector 3 --rationale "The file is uploaded now." --wait',
        'retry fraud-detector 3 --stage production --rationale "The node is back."',
    ),
    "review": ('review fraud-detector --rationale "Quarterly review: no drift."',),
    "history": ("history fraud-detector", "history fraud-detector --ledger pod"),
    "serving-at": ("serving-at fraud-detector --at 2026-11-24T12:00:00Z",),
    "lineage": ("lineage fraud-detector 3",),
    "consumers": ("consumers fraud-detector", "consumers fraud-detector 2 -o wide"),
    "resolve": ("resolve fraud-detector@production", "resolve fraud-detector@v3 -o json"),
    "audit verify": ("audit verify", "audit verify --ledger ./copy --key key.pub --offline"),
    "audit show": ("audit show --model fraud-detector",),
}


def epilog_of(verb: str) -> str:
    """Write a verb's examples below its help, each on a line of its own."""
    lines = [f"  kubectl model {words}" for words in EXAMPLES[verb]]
    # What follows this character is not filled into paragraphs.
    return "\n".join(("\b", "Examples:", *lines))
