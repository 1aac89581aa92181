"""Rules over several keys or tables of the policy: names that must exist, states that must not be shared."""

from __future__ import annotations

from bot.domain.policy.model import Policy
from bot.domain.policy.problems import Problems
from bot.domain.policy.runners import check_runners
from bot.domain.policy.stack_order import check_order
from bot.domain.suggest import hint


def check_whole(problems: Problems, policy: Policy) -> None:
    """Add what is wrong to `problems`. Keys that are not valid are already left out of `policy`."""
    _names(problems, policy)
    _cycles(problems, policy)
    _lifetimes(problems, policy)
    _promotions(problems, policy)
    _approval_rules(problems, policy)
    _states(problems, policy)
    check_order(problems, policy)
    _secrets(problems, policy)
    _parity(problems, policy)
    _needs(problems, policy)
    check_runners(problems, policy)


def check_modules(problems: Problems, policy: Policy, repository: str) -> None:
    """Add repositories of other owners: one token of the App reads those of one owner only."""
    owner = repository.partition("/")[0].lower()
    for name in policy.modules:
        if name.partition("/")[0] != owner:
            problems.add(
                ("modules",), f"`{name[:80]}` is not a repository of `{owner}`, so its modules cannot be read"
            )


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
    return f"; the environments are {', '.join(f'`{name[:40]}`' for name in names[:10])}"


def _cycles(problems: Problems, policy: Policy) -> None:
    reported: set[str] = set()
    for name in policy.environments:
        chain = [name]
        while (after := _source(policy, chain[-1])) and after not in chain:
            chain.append(after)
        if after == name and len(chain) > 1 and not reported & set(chain):
            reported |= set(chain)
            problems.add(("env", name, "promote_from"), f"promotion cycle: {' ← '.join([*chain, name])}")


def _source(policy: Policy, name: str) -> str:
    env = policy.environments.get(name)
    return env.promote_from if env else ""


def _lifetimes(problems: Problems, policy: Policy) -> None:
    for env in policy.environments.values():
        if env.ttl and not env.instance:
            problems.add(
                ("env", env.name, "ttl"),
                "`ttl` destroys an instance when it expires, so it needs `instance`",
            )
        for key in ("sleep", "cap", "label"):
            if getattr(env, key) and not env.instance:
                problems.add(
                    ("env", env.name, key),
                    f'`{key}` is for instances of pull requests, so it needs `instance`, such as "pr-{{pr}}"',
                )
        if env.label and env.on_pull_request != "apply":
            problems.add(
                ("env", env.name, "label"),
                '`label` says which pull requests are applied, so it needs `on_pull_request = "apply"`',
            )
        if env.on_pull_request == "apply" and not env.instance:
            problems.add(
                ("env", env.name, "on_pull_request"),
                '"apply" applies without anybody asking, so it needs `instance`, such as "pr-{pr}"',
            )
        if env.on_pull_request == "verify" and not env.instance:
            problems.add(
                ("env", env.name, "on_pull_request"),
                '"verify" destroys what it applied, so it needs `instance`, such as "pr-{pr}"',
            )
        if env.on_merge and env.instance:
            problems.add(
                ("env", env.name, "on_merge"),
                "an instance ends with its pull request, so nothing is left of it to compare with main; remove `on_merge`",
            )
        if env.drift and env.instance:
            problems.add(
                ("env", env.name, "drift"),
                "scheduled drift checks do not cover instances; remove `drift` and check them with `/drift`",
            )
        if env.soak and not env.promote_from:
            problems.add(
                ("env", env.name, "soak"), "`soak` is the wait before a promotion, so it needs `promote_from`"
            )


def _promotions(problems: Problems, policy: Policy) -> None:
    """What is promoted must be deployed in the environment before. With an instance for each pull request, that is the
    pull request's own (`Policy.target`), so it has to exist for long enough."""
    for env in policy.environments.values():
        source, path = policy.environments.get(env.promote_from), ("env", env.name, "promote_from")
        if source is None or source is env:
            continue
        if source.on_pull_request == "verify":
            problems.add(
                path, f"`{source.name}` destroys what it verifies, so nothing can be promoted from it"
            )
        if source.ttl and source.ttl <= env.soak:
            problems.add(
                ("env", env.name, "soak"),
                f"`{source.name}` is destroyed after its `ttl`, which must be longer than this `soak`",
            )
        for stack in policy.stacks.values():
            lives = stack.environments or tuple(policy.environments)
            if env.name in lives and source.name not in lives:
                problems.add(
                    ("stack", stack.name, "environments"),
                    f"`{env.name}` is promoted from `{source.name}`, but stack `{stack.name}` is not in "
                    f"`{source.name}`; add it to `environments`",
                )


def _approval_rules(problems: Problems, policy: Policy) -> None:
    """Approvals that nobody is asked for, or that too few people can give."""
    for env in policy.environments.values():
        path, asks = ("env", env.name, "approvals"), env.approvals
        users = {login.lower() for login in asks.users}
        if (users or asks.teams) and not asks.count:
            problems.add(path, "`approvals` names approvers, but `count = 0` asks for none of them")
        if users and not asks.teams and asks.count > len(users):
            problems.add(path, f"`approvals` requires {asks.count} people but names only {len(users)}")


def _secrets(problems: Problems, policy: Policy) -> None:
    """An environment's Terraform must see its own secrets only, so no prefix may begin with another. Local environments
    get none."""
    names = [env.name for env in policy.environments.values() if not env.local]
    for name in names:
        prefix = policy.secrets_prefix(name)
        for other in names:
            if other != name and policy.secrets_prefix(other).startswith(prefix):
                problems.add(
                    ("env", other, "secrets_prefix"),
                    f"`{name}` (`{prefix}…`) would also see the secrets of `{other}` "
                    f"(`{policy.secrets_prefix(other)}…`); set another `secrets_prefix`",
                )


def _parity(problems: Problems, policy: Policy) -> None:
    known = list(policy.environments)
    for number, group in enumerate(policy.parity or (), 1):
        for name in dict.fromkeys(group.environments):
            if name not in policy.environments:
                problems.add(
                    ("parity",),
                    f"`parity` item {number}: there is no environment `{name[:40]}`{hint(name, known) or _listed(known)}",
                )
        if len(set(group.environments)) < len(group.environments):
            problems.add(("parity",), f"`parity` item {number} names an environment twice")


def _needs(problems: Problems, policy: Policy) -> None:
    """Dependencies run on people's own machines, where two of one name or port would be in each other's way."""
    for env in policy.environments.values():
        path = ("env", env.name, "needs")
        if env.needs and not env.local:
            problems.add(
                path, "`needs` starts dependencies on people's own machines, so it needs `local = true`"
            )
        names = [need.name for need in env.needs]
        ports = [str(port) for need in env.needs for port in need.host_ports]
        for what, values in (("are called", names), ("use port", ports)):
            for value in sorted({one for one in values if values.count(one) > 1}):
                problems.add(path, f"two dependencies {what} `{value}`")


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
