"""What a workflow hands back: sealed with the key that it shares with the bot, so that nobody else can read or make it."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from bot.domain.actions import ReviewedPlan
from bot.domain.plans import PlanSummaryJson
from bot.domain.run import InputValue

LOG_LINES = 400
"""Lines of the log that travel: the last ones. All of it is in the job's own."""


@dataclass(frozen=True)
class RemotePlan:
    """A plan that a job made. tree: git's id of the planned files. bucket, key, endpoint: where the job had its state.
    inputs: by variable, the outputs of other stacks that it was made with, without the version of their state. pages: see bot.domain.plans.plan_pages."""

    reviewed: ReviewedPlan
    summary: PlanSummaryJson
    pages: tuple[bytes, ...]
    has_changes: bool
    lineage: str
    serial: int
    tree: str
    bucket: str
    key: str
    endpoint: str
    inputs: dict[str, InputValue] = field(default_factory=dict)


@dataclass(frozen=True)
class RunnerResult:
    """How a job ended.

    outcome: "refused" before anything was changed; "failed" is Terraform's. message, next_step: if it did not succeed.
    interrupted, timed_out: how Terraform ended. log: last lines, redacted. plan: of a job that planned. unsaved: a state that
    could not be uploaded.
    """

    outcome: Literal["planned", "applied", "refused", "failed"]
    message: str = ""
    next_step: str = ""
    exit_code: int = 0
    interrupted: bool = False
    timed_out: bool = False
    log: tuple[str, ...] = ()
    plan: RemotePlan | None = None
    unsaved: bytes | None = None


def write_result(result: RunnerResult) -> bytes:
    """Return the result as bytes, to be sealed: it contains what the plan's page shows, and perhaps a state."""
    facts = asdict(result)
    facts["unsaved"] = _text(result.unsaved) if result.unsaved is not None else None
    if result.plan is not None:
        facts["plan"]["pages"] = [_text(page) for page in result.plan.pages]
    return json.dumps(facts).encode()


def read_result(content: bytes) -> RunnerResult:
    """Read what `write_result` returned: whoever has the key wrote it. Raises ValueError if it is of another version."""
    try:
        facts = json.loads(content)
        plan = facts["plan"]
        if plan is not None:
            pages = tuple(base64.b64decode(page) for page in plan["pages"])
            plan = RemotePlan(**(plan | {"reviewed": ReviewedPlan(**plan["reviewed"]), "pages": pages}))
        unsaved = base64.b64decode(facts["unsaved"]) if facts["unsaved"] is not None else None
        return RunnerResult(**(facts | {"plan": plan, "unsaved": unsaved, "log": tuple(facts["log"])}))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the result is of another version of Towpath: {error}") from error


def sealed_for(run_id: str, phase: str) -> str:
    """Return the context that a result is sealed with: that of another run does not open."""
    return f"actions/{run_id}/{phase}"


def reviewed_content(reviewed: ReviewedPlan) -> bytes:
    """Return what the bot keeps in the place of a plan file: what the plan does, as keyed digests."""
    return json.dumps(asdict(reviewed), sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
