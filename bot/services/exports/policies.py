"""Read the policy of exports, from the default branch alone."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.exports import PATH, ExportPolicies, ExportPolicy, parse_export_policies
from bot.domain.policy import Policy
from bot.domain.refusal import Refusal
from bot.services.context import Context
from bot.services.targets import fetch, policy_at, tip_of


@dataclass(frozen=True)
class ExportSettings:
    """Both policies of one commit. text: of `envs/export.toml`, "" if there is none."""

    repository: str
    commit: str
    policy: Policy
    exports: ExportPolicies
    text: str

    def export(self, environment: str) -> ExportPolicy:
        """Return the policy of an environment's exports. Raises Refusal if it has none."""
        found = self.exports.exports.get(environment)
        if found is None:
            others = ", ".join(f"`/export {name}`" for name in sorted(self.exports.exports))
            raise Refusal(
                "no-export",
                f"`{environment}` has no exports: `{PATH}` has no `[export.{environment}]`.",
                f"Exports that exist: {others}."
                if others
                else f"`towpath export init {environment} --from prod` writes a first policy.",
            )
        return found


def default_settings(context: Context, repository: str, at_most: float = 0.0) -> ExportSettings:
    """Return the settings in force. at_most: seconds since GitHub was asked for the latest commit. Raises Refusal without a
    main policy, and PolicyError."""
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, at_most)
    fetch(context, repository, [tip], [f"refs/heads/{branch}"])
    return settings_at(context, repository, tip)


def settings_at(context: Context, repository: str, commit: str) -> ExportSettings:
    """Return the settings at a commit that is in the mirror. Raises as `default_settings`."""
    policy = policy_at(context, repository, commit)
    if policy is None:
        raise Refusal(
            "no-policy",
            "The default branch has no `envs/environments.toml`.",
            "Add one in a pull request; the README has a complete example.",
        )

    def read() -> tuple[ExportPolicies, str]:
        raw = context.git.read(repository, commit, PATH)
        if raw is None:
            return ExportPolicies({}, {}), ""
        text = raw.decode("utf-8", "replace")
        return parse_export_policies(text, f"{PATH} at {commit[:7]}", policy.environments), text

    return ExportSettings(
        repository, commit, policy, *context.caches.export_policies.get((repository, commit), read)
    )
