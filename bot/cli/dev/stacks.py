"""What is deployed of each stack of a local environment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.cli.dev.desk import PULL, Desk
from bot.domain.policy import Environment
from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.states import StateInfo
from bot.domain.target import Target


@dataclass(frozen=True)
class StackState:
    """serial: of the state, None if there is none. last, release: of what was applied from this working copy."""

    stack: str
    resources: int = 0
    serial: int | None = None
    last: Run | None = None
    release: Release | None = None


def deployed_stacks(here: Desk, environment: Environment, *, shared: bool) -> list[StackState]:
    """Return what the states have. shared: of those on the team's bot. Nothing is made where nothing was applied yet."""
    names = [stack.name for stack in here.stacks_of(environment.name)]
    targets = {name: here.policy.target(here.copy.repository, name, environment.name, PULL) for name in names}
    found = _own(here, targets)
    return [_on_the_bot(one, targets[one.stack]) for one in found] if shared else found


def _own(here: Desk, targets: dict[str, Target]) -> list[StackState]:
    if not (here.private / "towpath.db").exists():
        return [StackState(name) for name in targets]
    from bot.cli.dev.local import open_store
    from bot.services.dev import deployed

    found = []
    with open_store(here) as store:
        for name, target in targets.items():
            known = deployed(store, target)
            resources, serial = (known.state.resources, known.state.serial) if known.state else (0, None)
            release = known.release if known.release and known.release.active else None
            found.append(StackState(name, resources, serial, known.last, release))
    return found


def _on_the_bot(own: StackState, target: Target) -> StackState:
    """Return it with what the state there has. Raises UserError."""
    from bot.cli.state_access import kept_access
    from bot.state.remote_backends import OnTheBot

    data = OnTheBot(kept_access(target)).read()
    info = StateInfo.parse(data) if data else None
    return replace(own, resources=info.resources if info else 0, serial=info.serial if info else None)
