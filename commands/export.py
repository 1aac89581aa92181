"""`/export <env> [action]`"""

from __future__ import annotations

from typing import get_args

from bot.domain.chat import Notice, Result
from bot.domain.exports import ExportAnswer
from bot.domain.refusal import Refusal
from bot.domain.suggest import hint
from bot.services.exports import (
    ACTIONS,
    ExportRequest,
    answer_export,
    cancel_export,
    default_settings,
    export_history,
    export_view,
    newest_export,
    request_export,
)
from commands.registry import CommandContext, HelpText, command


@command(
    "export",
    "<env> [action]",
    text=HelpText(
        summary="Replace an environment's data by a masked part of another's",
        examples=(
            "/export staging preview",
            "/export staging now",
            "/export staging",
            "/export staging rollback",
        ),
        spelled="<env> [now|preview|status|history|rollback|cancel|approve|reject]",
    ),
    role="write",
    changes=True,
)
def export(ctx: CommandContext, env: str, action: str | None) -> Result:
    """Exports a masked part of another environment's data, as `envs/export.toml` declares it. `preview` counts what would
    leave; `now` exports, after an approval if it is the first export or the policy has changed; `status` shows how far it is
    and `history` what was before. `rollback` brings the data before the last export back, and `cancel` ends an export that
    has not replaced anything yet. `approve` and `reject` answer a request. Nothing is replaced before everything is loaded
    and checked."""
    action = action or "status"
    if action not in ACTIONS:
        raise Refusal(
            "unknown-action",
            f"`/export` cannot `{action[:40]}`.",
            f"Use one of {', '.join(f'`{one}`' for one in ACTIONS)}{hint(action, ACTIONS)}.",
        )
    context, settings = ctx.context, default_settings(ctx.context, ctx.repository)
    settings.export(env)  # refuses an environment without exports
    if action in ("now", "preview", "rollback"):
        number = ctx.pull.number if ctx.pull else 0
        found = request_export(context, settings, ExportRequest(env, action, ctx.actor, ctx.origin, number))
        return _told(
            ctx, found.id, f"Requested the {found.kind} of {env}.", f"`/export {env} cancel` ends it."
        )
    if action == "history":
        return export_history(context, ctx.repository, env)
    newest = newest_export(context, ctx.repository, env)
    if action == "cancel":
        cancel_export(context, newest, ctx.actor)
        return _told(ctx, newest.id, f"Cancelled the {newest.kind} of {env}.")
    if action in get_args(ExportAnswer):
        answer: ExportAnswer = "approve" if action == "approve" else "reject"
        answer_export(context, newest, ctx.actor, answer, ctx.origin)
        return _told(ctx, newest.id, f"Your answer to the export of {env} counts.")
    return _shown(ctx, newest.id)


def _told(ctx: CommandContext, export_id: str, done: str, next_step: str = "") -> Result:
    """Return a short answer where the export's own message in Slack shows the rest, else the export as it is."""
    if ctx.origin.channel and ctx.context.channel:
        return Notice(f"{done} Its message in the channel shows how far it is.", next_step)
    return _shown(ctx, export_id)


def _shown(ctx: CommandContext, export_id: str) -> Result:
    view = export_view(ctx.context, export_id)
    if view is None:
        raise LookupError(export_id)
    return view
