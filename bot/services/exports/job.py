"""What a worker needs for an export: its policy, and the addresses and keys among the environments' secrets."""

from __future__ import annotations

from bot.domain.exports import Export, ExportPolicy
from bot.domain.ports.exports import Exporter, ExportJob, ExportSecrets
from bot.domain.refusal import Refusal
from bot.services.context import Context
from bot.services.exports.policies import ExportSettings
from bot.services.identity import secrets_of

SHORTEST_KEY = 32
"""Characters of a masking key: it must be random, since whoever guesses it can test which values a mask came from."""
DATABASE, REPLICA, MASKING = "DATABASE_URL", "REPLICA_URL", "MASKING_KEY"


def exporter_of(context: Context) -> Exporter:
    """Return the exporter. Raises Refusal in a process without one, such as a job of GitHub Actions."""
    if context.exporter is None:
        raise Refusal("no-exporter", "This process cannot run exports.", "Run it where the bot runs.")
    return context.exporter


def job_of(context: Context, settings: ExportSettings, export: Export) -> ExportJob:
    """Return the job of an export. Raises Refusal, naming the variable, for a secret that is missing."""
    policy = settings.export(export.environment)
    return ExportJob(
        export.id,
        export.repository,
        export.environment,
        policy,
        _secrets(context, settings, policy, target_only=export.kind == "rollback"),
    )


def _secrets(
    context: Context, settings: ExportSettings, policy: ExportPolicy, *, target_only: bool
) -> ExportSecrets:
    target = _Named(context, settings, policy.environment)
    if target_only:
        return ExportSecrets(target=target.need(DATABASE))
    source = _Named(context, settings, policy.source)
    key = target.need(MASKING)
    if len(key) < SHORTEST_KEY:
        raise Refusal(
            "masking-key",
            f"`{target.name(MASKING)}` has fewer than {SHORTEST_KEY} characters.",
            "Make one with `openssl rand -hex 32`, and set it where the bot runs.",
        )
    return ExportSecrets(source.need(DATABASE), source.get(REPLICA), target.need(DATABASE), key)


class _Named:
    """The export secrets of one environment."""

    def __init__(self, context: Context, settings: ExportSettings, environment: str) -> None:
        found = secrets_of(context, settings.policy, settings.repository, environment)
        self._values = found.export
        self._prefix = settings.policy.secrets_prefix(environment)

    def name(self, key: str) -> str:
        return f"{self._prefix}EXPORT_{key}"

    def get(self, key: str) -> str:
        return self._values.get(key, "")

    def need(self, key: str) -> str:
        if not (found := self.get(key)):
            raise Refusal(
                "export-secret",
                f"`{self.name(key)}` is not set.",
                "Set it where the bot runs, and try again.",
            )
        return found
