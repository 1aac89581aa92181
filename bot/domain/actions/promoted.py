"""A release that one environment's job hands on to the job of the environment that is promoted from it."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from bot.domain.actions.signature import mac
from bot.domain.actors import Actor
from bot.domain.release import Release
from bot.domain.states import BackendSettings
from bot.domain.target import Target

_PURPOSE = "towpath: a release in GitHub Actions, 1"
_TIMES = ("created_at", "verified_at")


@dataclass(frozen=True)
class Promoted:
    """A release, and where its state is, so that a later change of the state is noticed. backend: as a plan stores it."""

    release: Release
    backend: BackendSettings


def write_promoted(one: Promoted, key: str) -> str:
    """Return the release as one signed line. It contains nothing secret, but is base64: GitHub drops an output that happens
    to contain the value of a secret, such as a region."""
    times = {name: value.isoformat() for name in _TIMES if (value := getattr(one.release, name))}
    facts = {"release": asdict(one.release) | times, "backend": one.backend}
    text = base64.b64encode(json.dumps(facts, sort_keys=True).encode()).decode()
    return f"{mac(key, _PURPOSE, text)} {text}"


def read_promoted(line: str, keys: Iterable[str]) -> Promoted | None:
    """Return the release of a line that was signed with one of `keys`, else None."""
    signature, _, text = line.strip().partition(" ")
    if not any(hmac.compare_digest(mac(key, _PURPOSE, text), signature) for key in keys):
        return None
    facts = json.loads(base64.b64decode(text))
    release = facts["release"]
    times = {name: datetime.fromisoformat(release[name]) for name in _TIMES if release[name]}
    objects = {
        "target": Target(**release["target"]),
        "actor": Actor(**release["actor"]),
        "checks": tuple(release["checks"]),
    }
    return Promoted(Release(**(release | times | objects)), facts["backend"])
