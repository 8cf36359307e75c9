"""What the two servers count, for whoever is on call."""

from dataclasses import dataclass
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from modelwarden import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Every number, registered in one registry; a process has one, a test as many as it likes."""

    registry: CollectorRegistry
    reconcile_seconds: Histogram
    reconciles: Counter
    queue_depth: Gauge
    queue_busy: Gauge
    holds: Gauge
    attempts: Counter
    gates: Counter
    artifact_checks: Counter
    votes_discarded: Counter
    demotions: Counter
    reviews_overdue: Gauge
    ledger_size: Gauge
    ledger_appends: Counter
    ledger_conflicts: Counter
    ledger_unavailable: Counter
    ledger_problem: Gauge
    leader: Gauge
    api_requests: Counter
    api_seconds: Histogram
    admission_requests: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry | None = None) -> Self:
        """Register everything in the registry, a new one by default."""
        registry = registry or CollectorRegistry()
        Gauge(
            "modelwarden_build_info", "The running release.", ["version"], registry=registry
        ).labels(__version__).set(1)
        return cls(
            registry=registry,
            reconcile_seconds=Histogram(
                "modelwarden_reconcile_seconds",
                "How long one reconcile of a Model took.",
                buckets=_SECONDS,
                registry=registry,
            ),
            reconciles=Counter(
                "modelwarden_reconciles", "Reconciles of Models.", ["outcome"], registry=registry
            ),
            queue_depth=Gauge(
                "modelwarden_queue_depth", "Models that wait for a reconcile.", registry=registry
            ),
            queue_busy=Gauge(
                "modelwarden_queue_busy", "Models that are reconciled just now.", registry=registry
            ),
            holds=Gauge(
                "modelwarden_holds",
                "What waits or is refused now: why, whether it is refused, and who must act.",
                ["code", "outcome", "who"],
                registry=registry,
            ),
            attempts=Counter(
                "modelwarden_attempts",
                "Attempts that ended.",
                ["kind", "outcome", "code"],
                registry=registry,
            ),
            gates=Counter(
                "modelwarden_gates",
                "Gates that ended.",
                ["gate", "outcome", "code"],
                registry=registry,
            ),
            artifact_checks=Counter(
                "modelwarden_artifact_checks",
                "Artifacts of versions in use that were looked at again.",
                ["outcome", "code"],
                registry=registry,
            ),
            votes_discarded=Counter(
                "modelwarden_votes_discarded",
                "Decisions that did not count.",
                ["reason"],
                registry=registry,
            ),
            reviews_overdue=Gauge(
                "modelwarden_reviews_overdue",
                "Models of which a review is overdue.",
                registry=registry,
            ),
            demotions=Counter(
                "modelwarden_demotions",
                "Moves down: what was asked, and from where to where the version went.",
                ["kind", "from", "to"],
                registry=registry,
            ),
            ledger_size=Gauge(
                "modelwarden_ledger_size", "Records in the ledger.", registry=registry
            ),
            ledger_appends=Counter(
                "modelwarden_ledger_appends",
                "Records appended, by what happened.",
                ["operation"],
                registry=registry,
            ),
            ledger_conflicts=Counter(
                "modelwarden_ledger_conflicts",
                "Appends that came second and were decided again.",
                registry=registry,
            ),
            ledger_unavailable=Counter(
                "modelwarden_ledger_unavailable",
                "Appends and reads that the store did not answer.",
                registry=registry,
            ),
            ledger_problem=Gauge(
                "modelwarden_ledger_problem",
                "1 while the ledger cannot be used, for this reason.",
                ["reason"],
                registry=registry,
            ),
            leader=Gauge(
                "modelwarden_leader", "1 in the process that may write.", registry=registry
            ),
            api_requests=Counter(
                "modelwarden_api_requests",
                "Calls to the API server; code 0 is no answer.",
                ["method", "code"],
                registry=registry,
            ),
            api_seconds=Histogram(
                "modelwarden_api_request_seconds",
                "How long calls to the API server took.",
                ["method"],
                buckets=_SECONDS,
                registry=registry,
            ),
            admission_requests=Counter(
                "modelwarden_admission_requests",
                "Admission requests answered.",
                ["kind", "operation", "outcome", "code"],
                registry=registry,
            ),
        )

    def observe_call(self, method: str, code: int, seconds: float) -> None:
        """Count one call to the API server."""
        self.api_requests.labels(method, str(code)).inc()
        self.api_seconds.labels(method).observe(seconds)

    def observe_reconcile(self, outcome: str, seconds: float) -> None:
        """Count one reconcile."""
        self.reconciles.labels(outcome).inc()
        self.reconcile_seconds.observe(seconds)

    def render(self) -> bytes:
        """Write all numbers in the text format of Prometheus."""
        return generate_latest(self.registry)
