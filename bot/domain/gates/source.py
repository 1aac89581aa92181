"""The rules for the release that a promotion takes from the environment before."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.gates.facts import ApplyFacts, Source
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.sanitize import outside
from bot.domain.target import Target, command


def source_refusal(facts: ApplyFacts, source: Source, release: Release) -> Refused | None:
    """Return why `release`, the latest one of the source environment, cannot be promoted, or None."""
    return (
        _not_deployed(facts, source, release)
        or _other_commit(facts, source.target, release)
        or _not_verified(facts, source.target, release)
        or _not_soaked(facts, source.target, release)
    )


def _not_deployed(facts: ApplyFacts, source: Source, release: Release) -> Refused | None:
    environment, next_step = source.target.environment, f"{_apply_again(facts, source.target)}."
    if not release.active:
        fact = f"The release of {_pull(release.pull)} on {environment} is no longer deployed: a later apply did not succeed."
        return Refused("inactive", fact, next_step)
    if source.state_change:
        fact = f"The state of {environment} changed since its release: {source.state_change}."
        return Refused("inactive", fact, next_step)
    return None


def _other_commit(facts: ApplyFacts, source: Target, release: Release) -> Refused | None:
    head, environment = facts.pull.head_sha, source.environment
    if release.commit != head and not _is_merge_of(facts, release):
        pull = f" from {_pull(release.pull)}" if release.pull != facts.pull.number else ""
        return Refused(
            "other-commit",
            f"{environment} has `{release.commit[:7]}`{pull}, not `{head[:7]}`, the latest commit of #{facts.pull.number}.",
            f"Run `{command('apply', source)}` first: only the latest release on {environment} can be promoted.",
        )
    next_step = f"{_apply_again(facts, source)}."
    if not facts.configuration or not release.configuration:
        fact = f"It is not known which files {environment} was applied from at `{head[:7]}`."
        return Refused("other-configuration", fact, next_step)
    if release.configuration != facts.configuration:
        fact = f"{environment} was applied at `{head[:7]}` from other files than this stack has now: the policy changed."
        return Refused("other-configuration", fact, next_step)
    return None


def _is_merge_of(facts: ApplyFacts, release: Release) -> bool:
    """Whether the commit is on the default branch and has the very files that were verified: a merge, squash or rebase
    makes another commit of them."""
    return facts.syncing and bool(facts.configuration) and release.configuration == facts.configuration


def _not_verified(facts: ApplyFacts, source: Target, release: Release) -> Refused | None:
    if release.verification == "running":
        return Refused(
            "verifying",
            f"The smoke checks of {source.environment} are still running.",
            f"Run `{facts.apply_command}` when they are done, or `{facts.apply_command} when-approved` now, which waits "
            "for them.",
        )
    if release.verified:
        return None
    check = release.failed_check
    texts = (check["name"], check.get("message", "")) if check else ()
    reason = ": ".join(outside(text) for text in texts if text)
    return Refused(
        "unverified",
        f"The smoke checks of {source.environment} failed{f': {reason}'.rstrip(' .:') if reason else ''}.",
        f"Fix it and push, or run `{command('plan', source)}` and `{command('apply', source)}` to check again.",
    )


def _not_soaked(facts: ApplyFacts, source: Target, release: Release) -> Refused | None:
    soak = facts.environment.soak
    until = release.soaked_at(soak)
    if not soak or facts.now >= until:
        return None
    return Refused(
        "soaking",
        f"Soaking on {source.environment} until {until:%Y-%m-%d %H:%M:%S} UTC ({_length(soak)}).",
        f"Run `{facts.apply_command}` then, or `{facts.apply_command} when-approved` now, which waits for it.",
        until,
    )


def _apply_again(facts: ApplyFacts, source: Target) -> str:
    return f"Run `{command('plan', source)}` and `{command('apply', source)}`, then `{facts.apply_command}`"


def _pull(number: int) -> str:
    return f"#{number}" if number else "an earlier run"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    unit, name = next(one for one in ((3600, "h"), (60, "min"), (1, "s")) if seconds % one[0] == 0)
    return f"{seconds // unit} {name}"
