"""The metrics of /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from bot.domain.ports.store import Store
from bot.domain.run import Run

DELIVERIES = Counter(
    "towpath_deliveries_total",
    "Webhooks and Slack requests, by the status they were answered with.",
    ["platform", "status"],
)
RUNS = Counter("towpath_runs_total", "Finished runs.", ["kind", "environment", "outcome"])
SECONDS = Histogram(
    "towpath_run_seconds",
    "Duration of finished runs, in seconds.",
    ["kind"],
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600),
)


INSTANCES = Gauge(
    "towpath_instances", "Instances of pull requests that are not gone.", ["environment", "state"]
)
LEAKED = Gauge("towpath_instances_leaked", "Instances that should be gone and could not be destroyed.")


def measure_instances(store: Store) -> None:
    """Set the gauges of instances. Called at each scrape, since any process may have changed them."""
    with store.read() as tables:
        present = tables.instances.present()
    INSTANCES.clear()
    for instance in present:
        INSTANCES.labels(instance.target.environment, instance.state).inc()
    LEAKED.set(sum(instance.leaked for instance in present))


def record_run(run: Run) -> None:
    """Count a finished run and its duration."""
    RUNS.labels(run.kind, run.target.environment, run.outcome or "").inc()
    if run.took is not None:
        SECONDS.labels(run.kind).observe(run.took.total_seconds())
