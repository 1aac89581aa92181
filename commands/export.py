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
    context, repository = ctx.context, ctx.repository
    if action in ("now", "preview", "rollback"):
        number = ctx.pull.number if ctx.pull else 0
        request = ExportRequest(env, action, ctx.actor, ctx.origin, number)
        found = request_export(context, default_settings(context, repository), request)
        if ctx.origin.channel and context.channel:
            return Notice(
                f"Requested the {found.kind} of {env}. Its message in the channel shows how far it is.",
                f"`/export {env} cancel` ends it.",
            )
        return _shown(ctx, found.id)
    if action == "history":
        return export_history(context, repository, env)
    newest = newest_export(context, repository, env)
    if action == "cancel":
        cancel_export(context, newest, ctx.actor)
    elif action in get_args(ExportAnswer):
        answer: ExportAnswer = "approve" if action == "approve" else "reject"
        answer_export(context, newest, ctx.actor, answer, ctx.origin)
    return _shown(ctx, newest.id)


def _shown(ctx: CommandContext, export_id: str) -> Result:
    view = export_view(ctx.context, export_id)
    if view is None:
        raise LookupError(export_id)
    return view
