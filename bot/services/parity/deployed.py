"""What an environment has at the moment: the names of its secrets, what its newest release was built of, its resources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.domain.identity import EnvironmentSecrets
from bot.domain.parity import Profile, Trait, resource_traits
from bot.domain.policy import Policy
from bot.domain.release import Release
from bot.domain.states import StateVersion
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.identity import secrets_of
from bot.services.parity.files import LOCAL
from bot.services.targets import fetch

NOTHING = "nothing is deployed"


@dataclass(frozen=True)
class Deployed:
    """The newest release and recorded state of an environment, None where there is none. Of an environment with instances
    they are those of the instance that was written last."""

    target: Target
    release: Release | None
    version: StateVersion | None


def with_deployed(context: Context, repository: str, policy: Policy, stack: str, known: Profile) -> Profile:
    """Add the names `secret.…`, `provider.…`, `module.…` and `resource.…` to what is known of an environment. It asks git,
    so never call it in a transaction."""
    environment = policy.environments[known.environment]
    unknown = dict(known.unknown)
    found = _newest(
        context, Target(repository, stack, environment.name), instances=bool(environment.instance)
    )
    secrets: tuple[Trait, ...] = ()
    if environment.local:
        unknown["secret"] = LOCAL
    else:
        secrets = tuple(_secrets(secrets_of(context, policy, repository, environment.name)))
    requirements = _requirements(context, policy, found, unknown)
    resources = _resources(context, found, unknown)
    return replace(known, traits=(*known.traits, *secrets, *requirements, *resources), unknown=unknown)


def _newest(context: Context, target: Target, *, instances: bool) -> Deployed:
    with context.store.read() as tables:
        version = tables.states.newest_instance(target) if instances else tables.states.newest(target.key)
        if instances and version is not None:
            target = Target.from_key(version.target_key)
        return Deployed(target, tables.releases.newest(target), version)


def _secrets(secrets: EnvironmentSecrets) -> Iterator[Trait]:
    """Yield the names of the secrets, each with the runs that get it; never a value."""
    for name in sorted({*secrets.plan, *secrets.apply}):
        runs = [word for word, has in (("plans", secrets.plan), ("applies", secrets.apply)) if name in has]
        yield Trait(f"secret.{name}", f"for {' and '.join(runs)}")


def _requirements(
    context: Context, policy: Policy, found: Deployed, unknown: dict[str, str]
) -> tuple[Trait, ...]:
    """Return the providers and modules at the newest release's commit; where that cannot be read, say so in `unknown`."""
    release, target = found.release, found.target
    if release is None:
        why = LOCAL if policy.environments[target.environment].local else NOTHING
        unknown |= {"provider": why, "module": why}
        return ()
    repository, commit = target.repository, release.commit
    try:
        fetch(context, repository, [commit], [f"refs/pull/{release.pull}/head"] if release.pull else [])
        requirements = context.terraform.requirements(
            context.git.files(repository, commit),
            lambda path: context.git.read(repository, commit, path),
            policy.stacks[target.stack].root,
        )
    except UserError as error:
        unknown |= {"provider": error.what, "module": error.what}
        return ()
    return tuple(
        Trait(f"{one.kind}.{one.name}", one.version, place=f"{one.file} line {one.line} at {commit[:7]}")
        for one in requirements
    )


def _resources(context: Context, found: Deployed, unknown: dict[str, str]) -> tuple[Trait, ...]:
    """Return the resources of the recorded state; where that cannot be read, say so in `unknown`."""
    target, version = found.target, found.version
    if version is None:
        unknown["resource"] = NOTHING if found.release is None else "its state was deleted"
        return ()
    try:
        with context.store.read() as tables:
            data = tables.states.data(version.id)
        traits = tuple(resource_traits(data))
    except (UserError, ValueError, KeyError) as error:
        unknown["resource"] = error.what if isinstance(error, UserError) else "the state cannot be read"
        return ()
    return tuple(replace(one, place=f"serial {version.serial} of {target}") for one in traits)
