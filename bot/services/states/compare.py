"""Compare two recorded states."""

from __future__ import annotations

from bot.domain.chat import StateComparison
from bot.domain.policy import Policy
from bot.domain.refusal import Refusal
from bot.domain.states import StateVersion, diff_states
from bot.domain.target import Target, command
from bot.services.context import Context
from bot.services.identity import hidden_values


def compare_states(
    context: Context, target: Target, policy: Policy, serials: tuple[int, ...]
) -> StateComparison:
    """Compare the versions with two serials; with one, that and the newest; with none, the newest two. The target's
    secrets are masked. Raises StateDamaged if a version cannot be read."""
    hidden = hidden_values(context, policy, target)
    with context.store.read() as tables:
        newest = tables.states.versions(target.key, 2)
        versions = [(serial, tables.states.numbered(target.key, serial)) for serial in serials]
        missing = [serial for serial, version in versions if version is None]
        if missing:
            raise _missing(target, missing[0])
        chosen = [version for _serial, version in versions if version is not None]
        pair = _pair(chosen, newest)
        if pair is None:
            raise _too_few(target, newest)
        if pair[0] == pair[1]:
            raise _same(target, pair[0], len(chosen))
        before, after = (tables.states.data(version.id) for version in pair)
    try:
        return StateComparison(target, *pair, diff_states(before, after, hidden))
    except ValueError as error:
        raise Refusal(
            "unreadable",
            f"These states cannot be compared: {error}.",
            f"Run `{command('history', target)}` for other versions.",
        ) from error


def _pair(chosen: list[StateVersion], newest: list[StateVersion]) -> tuple[StateVersion, StateVersion] | None:
    if len(chosen) == 2:
        return chosen[0], chosen[1]
    if len(chosen) == 1:
        return chosen[0], newest[0]
    return (newest[1], newest[0]) if len(newest) == 2 else None


def _missing(target: Target, serial: int) -> Refusal:
    return Refusal(
        "no-version",
        f"{target} has no recorded state with serial {serial}.",
        f"Run `{command('history', target)}` for the serials.",
    )


def _too_few(target: Target, newest: list[StateVersion]) -> Refusal:
    if newest:
        fact = f"{target} has only one recorded state (serial {newest[0].serial})"
        next_step = f"Run `{command('history', target)}` to see it. The next apply records another."
    else:
        fact = f"{target} has no recorded state"
        next_step = f"Run `{command('apply', target)}` to create the first."
    return Refusal("too-few", f"{fact}, so there is nothing to compare.", next_step)


def _same(target: Target, version: StateVersion, named: int) -> Refusal:
    """Refuse the newest serial alone, or the same serial twice."""
    fact = f"Serial {version.serial} is the newest of {target}" if named == 1 else "Both serials are the same"
    diff = command("diff", target)
    return Refusal(
        "same",
        f"{fact}, so there is nothing to compare.",
        f"Run `{diff}` for the newest two, or `{diff} <serial>` for others.",
    )
