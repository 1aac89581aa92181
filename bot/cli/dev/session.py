"""One command on the working copy: alone, after what a killed one left, on one target."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bot.cli.dev.desk import PULL, Desk
from bot.cli.dev.local import Local, open_local
from bot.cli.state_access import kept_access
from bot.services.dev import LocalWork, recover
from bot.services.maintenance import tidy_worktrees


@contextmanager
def working_copy(here: Desk, env: str, stack: str, *, shared: bool) -> Iterator[tuple[Local, LocalWork]]:
    """Yield the services on the working copy, and the target to work on, while no other command works here.

    What a killed command left is ended first, and said. shared: on the state that the team's bot has. Raises UserError.
    """
    environment = here.environment(env)
    chosen = here.stack(stack, environment.name)
    target = here.policy.target(here.copy.repository, chosen.name, environment.name, PULL)
    access = kept_access(target) if shared else None
    with here.alone(), open_local(here, here.private, uncommitted=True, access=access) as local:
        for run in recover(local.context, local.actor):
            print(f"The last {run.word} of {run.target}: {run.message}", file=sys.stderr)
        tidy_worktrees(local.context)
        yield local, LocalWork(local.pull_context, target, local.actor)
