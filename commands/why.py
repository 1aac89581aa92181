"""`/why [run]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.why import explain
from commands.registry import CommandContext, HelpText, command


@command(
    "why",
    "[run]",
    text=HelpText(
        summary="Explain why a run failed",
        examples=("/why", "/why staging", "/why 3f2a9c1e"),
        spelled="[run or env]",
    ),
)
def why(ctx: CommandContext, run: str | None) -> Result:
    """Shows the failing step, Terraform's errors with file and line, the end of the log, the likely cause and what to do
    next. Without a run, it explains the newest one that failed, and the failed GitHub Actions jobs of the pull request's
    latest commit. Name a run by the beginning of its id, or an environment for its newest failed run. Refused applies,
    drift checks and failed smoke checks count, too."""
    return explain(ctx.context, ctx.repository, ctx.pull, run or "")
