"""The settings of environments that should be alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

from bot.domain.parity.model import Trait
from bot.domain.policy import PATH, Environment, Lines, SmokeCheck

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def policy_traits(environment: Environment, lines: Lines) -> Iterator[Trait]:
    """Yield how an environment's runs are made and checked: `var_files`, `smoke`, `artifacts`, `parallelism`, `timeout`,
    `plan_expires`, `drift`, and for which clouds it has an `identity`.

    Left out is what makes environments different on purpose: what starts their runs (`on_pull_request`, `on_merge`), how
    long they live (`instance`, `ttl`), who may do what (`approvals`, `plan_needs`, `force`, `laptop`), when (`freeze`,
    `soak`, `promote_from`, `lock_expires`), their `url`, and their own roles and secrets. lines: of the policy file.
    """
    values = {
        "var_files": json.dumps(environment.var_files or ["envs/{env}.tfvars"]),
        "smoke": "; ".join(map(_check, environment.smoke)) or "none",
        "artifacts": ", ".join(environment.artifacts) or "none",
        "parallelism": str(environment.parallelism),
        "timeout": _duration(environment.timeout),
        "plan_expires": _duration(environment.plan_expires),
        "drift": _duration(environment.drift) if environment.drift else "none",
        "identity": ", ".join(environment.identity.audiences) or "none",
    }
    for name, value in values.items():
        line = lines.of(("env", environment.name, name))
        yield Trait(f"policy.{name}", value, place=f"{PATH} line {line}" if line else PATH)


def _check(check: SmokeCheck) -> str:
    """`http {output.url}/healthz 200 within 20s`."""
    command = check.command if isinstance(check.command, str) else " ".join(check.command)
    subject = check.http or check.tcp or command
    accepted = f" {','.join(map(str, check.statuses))}" if check.http else ""
    contains = f" containing {json.dumps(check.contains, ensure_ascii=False)}" if check.contains else ""
    return f"{check.kind} {subject}{accepted}{contains} within {_duration(check.within)}"


def _duration(length: timedelta) -> str:
    """In the policy's own notation, as its largest whole unit."""
    for unit, one in _UNITS:
        if length and not length % one:
            return f"{length // one}{unit}"
    return f"{length // timedelta(seconds=1)}s"
