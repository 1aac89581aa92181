"""People's answers to an export that needs approval."""

from __future__ import annotations

from bot.domain.actors import Actor
from bot.domain.approvals import Voter
from bot.domain.exports import Export, ExportAnswer, ExportDecision, missing_approval, refuse_answer
from bot.domain.policy import ApprovalRules
from bot.domain.refusal import Refusal, require
from bot.domain.run import Origin
from bot.services.context import Context, stable_id
from bot.services.exports.failures import ExportEnd, finish_export
from bot.services.exports.policies import default_settings
from bot.services.exports.show import record_export, show_export


def answer_export(
    context: Context, export: Export, actor: Actor, answer: ExportAnswer, origin: Origin
) -> Export:
    """Record an answer and act on it: a rejection ends the export, and the last approval lets it go on.

    Returns the export as it is then. Raises Refusal if nothing waits for an answer, or this person's does not count.
    """
    if export.phase != "approval":
        raise Refusal(
            "nothing-to-approve",
            f"No export to {export.environment} waits for approval.",
            f"`/export {export.environment} now` requests one.",
        )
    settings = default_settings(context, export.repository)
    if settings.export(export.environment).digest != export.policy_digest:
        finish_export(
            context, export.id, ExportEnd("expired", "Its policy has changed since it was requested.")
        )
        raise Refusal(
            "outdated",
            "The policy has changed since this export was requested.",
            f"`/export {export.environment} now` requests it again.",
        )
    source = settings.policy.environments.get(export.source)
    rules = source.approval_rules if source else None
    if answer == "approve":
        require(refuse_answer(rules, export, _voter(context, export, rules, actor.login)))
    with context.store.begin() as tables:
        tables.exports.lock(export.repository, export.environment)
        found = tables.exports.get(export.id)
        if found is None or found.phase != "approval":
            return found or export
        decision = stable_id(origin.id, export.id, answer, actor.login.lower())
        tables.exports.decide(ExportDecision(decision, export.id, actor.login, answer, context.now()))
        record_export(context, tables, answer, export, actor)
        approved = [one.login for one in tables.exports.decisions(export.id) if one.answer == "approve"]
        logins = tuple(dict.fromkeys(approved))
        tables.exports.update(export.id, approved_by=logins)
        if answer == "approve" and not missing_approval(rules, logins):
            tables.exports.update(export.id, phase="approved", approved=True)
            context.work.enqueue_export(export, tables)
        show_export(context, tables, export)
    if answer == "reject":
        finish_export(context, export.id, ExportEnd("rejected", f"Rejected by {actor.name}."))
    with context.store.read() as tables:
        return tables.exports.get(export.id) or export


def _voter(context: Context, export: Export, rules: ApprovalRules | None, login: str) -> Voter:
    """Read a person's role, and those of the teams that count."""
    groups = frozenset(
        f"@{team}".lower()
        for team in (rules.teams if rules else ())
        if login.lower() in (context.forge.members(team) or ())
    )
    return Voter(login, context.forge.role(export.repository, login), groups)
