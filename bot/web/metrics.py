"""What /metrics counts."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from bot.domain.run import Run

DELIVERIES = Counter(
    "towpath_deliveries_total", "Webhooks and interactions answered.", ["platform", "status"]
)
RUNS = Counter("towpath_runs_total", "Runs that ended.", ["kind", "environment", "outcome"])
SECONDS = Histogram(
    "towpath_run_seconds",
    "How long runs took.",
    ["kind"],
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600),
)


def ended(run: Run) -> None:
    """Count a run that ended, and how long it worked."""
    RUNS.labels(run.kind, run.target.environment, run.outcome or "").inc()
    if run.took is not None:
        SECONDS.labels(run.kind).observe(run.took.total_seconds())
