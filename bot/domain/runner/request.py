"""What a workflow is asked to carry out. Everybody with write access can start a workflow, so only a signed request counts."""

from __future__ import annotations

import base64
import hmac
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.actions import LONGEST, ReviewedPlan, mac
from bot.domain.target import Target

_PURPOSE = "towpath: a run in GitHub Actions, 1"


@dataclass(frozen=True)
class RunnerRequest:
    """One plan, or one apply of a reviewed plan.

    run_id: the bot's. policy: digest of the target's policy that the bot judged by. expires: when a job may no longer begin it
    (UTC). lineage, serial: of the state that the reviewed plan was made from; with `reviewed` for an apply only. main: whether the
    commit is one of the default branch, after a merge, in place of the pull request's latest one.
    """

    run_id: str
    phase: Literal["plan", "apply"]
    target: Target
    pull: int
    commit: str
    policy: str
    expires: datetime
    lineage: str = ""
    serial: int = 0
    reviewed: ReviewedPlan | None = None
    main: bool = False


def write_request(request: RunnerRequest, key: str) -> str:
    """Return the request as one signed line. Of a plan with very many changes only the digest of all of them travels."""
    line = _line(request, key)
    if len(line) > LONGEST and request.reviewed is not None:
        short = ReviewedPlan(request.reviewed.digest, {}, abridged=True)
        line = _line(replace(request, reviewed=short), key)
    return line


def read_request(line: str, keys: Iterable[str]) -> RunnerRequest | None:
    """Return the request of a line that was signed with one of `keys`, else None."""
    signature, _, text = line.strip().partition(".")
    if not any(hmac.compare_digest(mac(key, _PURPOSE, text).encode(), signature.encode()) for key in keys):
        return None
    facts = json.loads(zlib.decompress(base64.b64decode(text)))
    reviewed = facts["reviewed"]
    typed = {
        "target": Target(**facts["target"]),
        "expires": datetime.fromisoformat(facts["expires"]),
        "reviewed": ReviewedPlan(**reviewed) if reviewed else None,
    }
    return RunnerRequest(**(facts | typed))


def _line(request: RunnerRequest, key: str) -> str:
    facts = asdict(request) | {"expires": request.expires.isoformat()}
    text = base64.b64encode(zlib.compress(json.dumps(facts, sort_keys=True).encode(), 9)).decode()
    return f"{mac(key, _PURPOSE, text)}.{text}"
