"""Rules over several tables of the policy: names that must exist, and states that must stay apart."""

from __future__ import annotations

from bot.domain.policy import Policy
from bot.domain.policy_checks import Problems
from bot.domain.suggest import hint


def check_whole(problems: Problems, policy: Policy) -> None:
    """Add what is wrong to `problems`."""
    _names(problems, policy)
    _cycles(problems, policy)
    _lifetimes(problems, policy)
    _promotions(problems, policy)
    _consents(problems, policy)
    _states(problems, policy)
    _secrets(problems, policy)


def _names(problems: Problems, policy: Policy) -> None:
    known = list(policy.environments)
    for stack in policy.stacks.values():
        for name in stack.environments:
            if name not in policy.environments:
                problems.add(
                    ("stack", stack.name, "environments"),
                    f"there is no environment `{name[:40]}`{hint(name, known) or _listed(known)}",
                )
    for env in policy.environments.values():
        source, path = env.promote_from, ("env", env.name, "promote_from")
        if source == env.name:
            problems.add(path, f"`{env.name}` cannot be promoted from itself")
        elif source and source not in policy.environments:
            problems.add(
                path, f"there is no environment `{source[:40]}`{hint(source, known) or _listed(known)}"
            )
        elif source and policy.environments[source].local:
            problems.add(path, f"`{source}` is local, so nothing can be promoted from it")


def _listed(names: list[str]) -> str:
    return f"; there are {', '.join(f'`{name[:40]}`' for name in names[:10])}"


def _cycles(problems: Problems, policy: Policy) -> None:
    told: set[str] = set()
    for name in policy.environments:
        way = [name]
        while (after := _source(policy, way[-1])) and after not in way:
            way.append(after)
        if after == name and len(way) > 1 and not told & set(way):
            told |= set(way)
            problems.add(("env", name, "promote_from"), f"a circle: {' ← '.join([*way, name])}")


def _source(policy: Policy, name: str) -> str:
    env = policy.environments.get(name)
    return env.promote_from if env else ""


def _lifetimes(problems: Problems, policy: Policy) -> None:
    for env in policy.environments.values():
        if env.ttl and not env.instance:
            problems.add(
                ("env", env.name, "ttl"),
                "`ttl` destroys an instance when its time is over, so it needs `instance`",
            )
        if env.on_pull_request == "verify" and not env.instance:
            problems.add(
                ("env", env.name, "on_pull_request"),
                '"verify" destroys what it applied, so it needs `instance`, such as "pr-{pr}"',
            )
        if env.drift and env.instance:
            problems.add(
                ("env", env.name, "drift"),
                "`drift` looks by itself at what exists once; an instance is looked at when somebody asks",
            )
        if env.soak and not env.promote_from:
            problems.add(
                ("env", env.name, "soak"), "`soak` is the wait before a promotion, so it needs `promote_from`"
            )


def _promotions(problems: Problems, policy: Policy) -> None:
    """What is promoted must stand in the stage before. Where that has an instance for each pull request, the pull
    request's own is meant (`Policy.target`), so an instance that does not live long enough promotes nothing."""
    for env in policy.environments.values():
        source, path = policy.environments.get(env.promote_from), ("env", env.name, "promote_from")
        if source is None or source is env:
            continue
        if source.on_pull_request == "verify":
            problems.add(
                path, f"`{source.name}` destroys what it has verified, so nothing can be promoted from it"
            )
        if source.ttl and source.ttl <= env.soak:
            problems.add(
                ("env", env.name, "soak"),
                f"`{source.name}` is destroyed when its `ttl` is over, which is no longer than this `soak`",
            )
        for stack in policy.stacks.values():
            lives = stack.environments or tuple(policy.environments)
            if env.name in lives and source.name not in lives:
                problems.add(
                    ("stack", stack.name, "environments"),
                    f"`{env.name}` takes what `{source.name}` has verified, and stack `{stack.name}` is not in "
                    f"`{source.name}`; add it to `environments`",
                )


def _consents(problems: Problems, policy: Policy) -> None:
    """Approvals that ask nobody, or more people than there are."""
    for env in policy.environments.values():
        path, asks = ("env", env.name, "approvals"), env.approvals
        users = {login.lower() for login in asks.get("users", ())}
        named, count = bool(users or asks.get("teams")), asks.get("count", 1)
        if named and not count:
            problems.add(path, "`approvals` names who approves, and with `count = 0` nobody of them is asked")
        if users and not asks.get("teams") and count > len(users):
            problems.add(path, f"`approvals` needs {count} people and names {len(users)}")


def _secrets(problems: Problems, policy: Policy) -> None:
    """Each Terraform sees only its own environment's secrets: no prefix may begin with another's.

    dev is the laptop's: nothing of it is given out here.
    """
    names = [env.name for env in policy.environments.values() if not env.local]
    for name in names:
        prefix = policy.secrets_prefix(name)
        for other in names:
            if other != name and policy.secrets_prefix(other).startswith(prefix):
                problems.add(
                    ("env", other, "secrets_prefix"),
                    f"the secrets of `{other}` (`{policy.secrets_prefix(other)}…`) would also be those of `{name}` "
                    f"(`{prefix}…`); name another prefix in `secrets_prefix`",
                )


def _states(problems: Problems, policy: Policy) -> None:
    """Two targets with one bucket, key and workspace would overwrite each other's state."""
    seen: dict[tuple[str, ...], str] = {}
    for stack in policy.stacks.values():
        for env in policy.environments.values():
            if stack.environments and env.name not in stack.environments:
                continue
            key = policy.key(stack.name, env.name).replace("{instance}", env.instance)
            where = (stack.backend.endpoint, stack.backend.bucket, key, env.instance)
            name = f"{env.name}/{stack.name}"
            if where in seen:
                path = ("stack", stack.name, "backend", "key")
                problems.add(
                    path,
                    f"{seen[where]} and {name} would share one state, `{key[:200]}`; use {{env}} and {{stack}} in `key`",
                )
            else:
                seen[where] = name
