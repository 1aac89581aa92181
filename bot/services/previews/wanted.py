"""What instances should be: recorded when a pull request changes, and when people say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.actors import Actor
from bot.domain.policy import Environment, Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.previews import Instance, preview_command, renewed
from bot.domain.refusal import Refusal
from bot.domain.target import Target
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pull
from bot.services.previews.teardown import request_destroy


def want_instances(
    context: Context, pull: PullRequest, policy: Policy, targets: Sequence[Target]
) -> list[Target]:
    """Record that the instances of an open pull request should exist and have its latest commit; return which.

    Those of environments that are applied or verified automatically. One that a person took down stays down. A push wakes
    one that sleeps, and stops the verification of the commit before.
    """
    wanted = []
    for target in targets:
        environment = policy.environments[target.environment]
        if not _automatic(environment, pull) or pull.from_fork:
            continue
        with context.store.begin() as tables:
            tables.locks.lock_targets(target)
            known = tables.instances.get(target)
            if known is not None and known.kept_down:
                continue
            tables.instances.save(_wanted_up(context, known, target, environment, pull.number))
            if environment.on_pull_request == "verify":
                _stop_older(tables, target, pull.head_sha)
        wanted.append(target)
    return wanted


def wake_instance(
    context: Context, target: Target, environment: Environment, pull: int, actor: Actor
) -> None:
    """Record that an instance should be up, whatever it was before."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        wanted = _wanted_up(context, tables.instances.get(target), target, environment, pull)
        _save(context, tables, wanted, actor, "instance.up")


def sleep_instance(context: Context, target: Target, environment: Environment, actor: Actor) -> None:
    """Record that an instance should sleep. Raises Refusal if there is none, or the policy does not say how."""
    if not environment.sleep:
        raise Refusal(
            "no-sleep",
            f"`{target.environment}` has no `sleep` in the policy, so Towpath does not know what to switch off.",
            f"Add it to `[env.{target.environment}]`, or run `{preview_command('down', target)}`.",
        )
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        known = _existing(tables, target)
        if environment.sleep.command and not known.exists:
            raise _no_instance(target)
        asleep = replace(known, wanted="asleep", wanted_at=context.now(), note="")
        tables.plans.supersede(target, asleep.pull)  # made while something else was wanted
        _save(context, tables, asleep, actor, "instance.asleep")


def extend_instance(context: Context, target: Target, environment: Environment, actor: Actor) -> Instance:
    """Start an instance's time to live again. Raises Refusal if there is none."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        longer = renewed(_existing(tables, target), environment, context.now())
        _save(context, tables, longer, actor, "instance.extended")
    return longer


def take_down_instance(context: Context, target: Target, actor: Actor) -> None:
    """Record that an instance should be destroyed; it stays down until a person asks for it again. Raises Refusal if there is none.

    For one that could not be destroyed, this tries again now.
    """
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        known = _existing(tables, target)
        down = replace(known, wanted="gone", why="down", note="", retry_at=None, attempts=0)
        tables.plans.supersede(target, down.pull)
        _save(context, tables, down, actor, "instance.down")


def dismiss_instances(context: Context, pull: PullRequest) -> None:
    """Have the instances of a closed pull request destroyed. An apply that runs there is stopped first."""
    with context.store.begin() as tables:
        known = tables.instances.of_pull(pull.repository, pull.number)
        tables.locks.lock_targets(*(one.target for one in known))
        present = [
            one for one in tables.instances.of_pull(pull.repository, pull.number) if one.state != "gone"
        ]
        for instance in present:
            tables.instances.save(instance.unwanted(pull.state))
    for instance in present:
        request_destroy(context, instance.target)


def _automatic(environment: Environment, pull: PullRequest) -> bool:
    if environment.on_pull_request == "verify":
        return True
    return environment.on_pull_request == "apply" and (
        not environment.label or environment.label.lower() in (name.lower() for name in pull.labels)
    )


def _wanted_up(
    context: Context, known: Instance | None, target: Target, environment: Environment, pull: int
) -> Instance:
    now = context.now()
    if known is None or known.state == "gone":
        known = Instance(target, pull, "up", "pending", False, now, now, now)
    passing = environment.on_pull_request == "verify"
    up = replace(
        known,
        wanted="up",
        wanted_at=now,
        passing=passing,
        why="",
        note="",
        attempts=0,
        retry_at=None,
        replans=0,
    )
    return renewed(up, environment, now)


def _existing(tables: Tables, target: Target) -> Instance:
    found = tables.instances.get(target)
    if found is None or found.state == "gone":
        raise _no_instance(target)
    return found


def _no_instance(target: Target) -> Refusal:
    return Refusal(
        "no-instance",
        f"There is no instance of {target}.",
        f"`{preview_command('up', target)}` creates it.",
    )


def _stop_older(tables: Tables, target: Target, head: str) -> None:
    """Stop applies of an older commit, which nobody waits for any more."""
    for run in tables.runs.active(target=target, kind="apply"):
        if run.commit != head and not run.superseded_by and run.phase != "queued":
            tables.runs.update(run.id, superseded_by=head)


def _save(context: Context, tables: Tables, instance: Instance, actor: Actor, action: str) -> None:
    tables.instances.save(instance)
    subject = AuditSubject(target=instance.target, pull=instance.pull)
    record(context, tables, action, actor, subject, expires=str(instance.expires_at or ""))
    show_pull(tables, context.now(), instance.target.repository, instance.pull)
