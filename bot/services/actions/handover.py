"""Pass an environment's release on to the job of the environment that is promoted from it, which has a database of its own."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.actions import Promoted, read_promoted, write_promoted
from bot.domain.refusal import Refusal
from bot.domain.run import Run
from bot.domain.states import StateInfo
from bot.services.context import Context


def hand_over(context: Context, run: Run, key: str) -> str:
    """Return the release that an apply left, as one signed line; "" if it left none."""
    with context.store.read() as tables:
        release, plan = tables.releases.newest(run.target), tables.plans.get(run.plan_id)
    if release is None or plan is None or release.run_id != run.id:
        return ""
    return write_promoted(Promoted(release, plan.backend), key)


def take_over(context: Context, lines: str, repository: str, keys: Sequence[str]) -> None:
    """Record the releases that earlier jobs handed over, each with the state as it is now: the gates notice what changed
    since. Raises Refusal for a line that no key of ours has signed."""
    for line in filter(str.strip, lines.splitlines()):
        found = read_promoted(line, keys)
        if found is None or found.release.target.repository != repository:
            raise Refusal(
                "forged-release",
                "A release that an earlier job handed over is not signed with this repository's key.",
                "Give all jobs the same `TOWPATH_SECRET_KEY`.",
            )
        release = found.release
        data = context.backends.current(release.target, context.backends.restore(found.backend))
        with context.store.begin() as tables:
            tables.releases.add(release)
            if data:
                tables.states.append(release.target.key, data, StateInfo.parse(data), observed=True)
