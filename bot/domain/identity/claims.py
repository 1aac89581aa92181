"""Claims of a run's tokens, and the name of its sessions in a cloud's audit log."""

from __future__ import annotations

import re
from typing import TypedDict

from bot.domain.identity.secrets import Access, access_of
from bot.domain.run import Run
from bot.domain.target import Target

SESSION = 64
"""Characters of AWS's RoleSessionName, which allows `[\\w+=,.@-]`."""
_NOT_IN_SESSION = re.compile(r"[^A-Za-z0-9+=,.@_-]+")


class Claims(TypedDict):
    """Towpath's own claims, all of them texts, as attribute mappings and conditions of clouds want them.

    instance: such as `pr-42`, "" where the environment exists once. pull_request: its number, "" for a scheduled drift
    check. actor: a GitHub login, or `towpath` where there is no person. run: the run's id.
    """

    sub: str
    repository: str
    environment: str
    stack: str
    phase: Access
    instance: str
    pull_request: str
    commit: str
    actor: str
    run: str


def subject(target: Target, access: Access) -> str:
    """Return the `sub` of a target's tokens, such as `repo:acme/infra:env:prod:stack:infra:phase:apply`.

    No part can contain a colon, and the repository is in lower case, so no two targets have the same one. The instance
    is not part of it: a trust policy cannot list pull requests.
    """
    return f"repo:{target.repository}:env:{target.environment}:stack:{target.stack}:phase:{access}"


def claims_of(run: Run) -> Claims:
    """Return what a run's tokens say about it."""
    access, target = access_of(run), run.target
    return Claims(
        sub=subject(target, access),
        repository=target.repository,
        environment=target.environment,
        stack=target.stack,
        phase=access,
        instance=target.instance,
        pull_request=str(run.pull) if run.pull else "",
        commit=run.commit,
        actor=_person(run),
        run=run.id,
    )


def session_name(run: Run) -> str:
    """Return the session's name for the audit log: person, repository and pull request, such as `ann@infra-pr-42`.

    A long repository name is cut; the person and the number never are.
    """
    end = f"-pr-{run.pull}" if run.pull else f"-{run.kind}"
    person = _NOT_IN_SESSION.sub("-", _person(run))[:39]
    name = _NOT_IN_SESSION.sub("-", run.target.repository.rpartition("/")[2])
    return f"{person}@{name[: SESSION - len(person) - len(end) - 1]}{end}"


def _person(run: Run) -> str:
    return run.actor.login or "towpath"
