"""A guarded environment's consent and break-glasses, as the status comment tells of them."""

from __future__ import annotations

from bot.domain.approval import wanted
from bot.domain.results import TargetStatus
from bot.render.document import Bold, Code, Element, Plain, Span, Spans, Text, say, who
from bot.render.documents.approval import over, voices
from bot.render.documents.follow_up import acknowledged, forced
from bot.render.words import at, cut


def consent(row: TargetStatus) -> tuple[Element, ...]:
    """A short paragraph on the newest approval, and a loud one on each break-glass that nobody has acknowledged."""
    said: list[Element] = [
        Text((*forced(one.actor, cut(one.reason)), Plain(f" ({at(one.created_at)}). "), *acknowledged(one)))
        for one in row.follow_ups
    ]
    if row.consent is not None:
        said.append(Text(_paragraph(row)))
    return tuple(said)


def _paragraph(row: TargetStatus) -> Spans:
    standing = row.consent
    if standing is None:
        return ()
    approval = standing.approval
    said: list[Span] = [
        Bold(str(row.target)),
        Plain(": "),
        who(approval.actor),
        Plain(" asked for consent to "),
        Code(approval.commit[:7]),
        Plain(f" at {at(approval.created_at)}."),
    ]
    if standing.approved:
        said += [Plain(" Approved by "), *voices(standing.approved), Plain(".")]
    if standing.void:
        said += [Plain(" No longer counts: "), *voices(standing.void), Plain(".")]
    if not approval.live:
        return (*said, Plain(" "), *over(approval))
    if approval.status == "planning":
        return (*said, Plain(" Its plan is being made."))
    if not standing.missing.complete:
        said += [
            Plain(" Missing: "),
            *say(wanted(approval, standing.missing)),
            Plain(f"; until {at(approval.expires_at)}. "),
            *say("`/approve`, `/reject`, a review of this commit, or Slack."),
        ]
    elif approval.when_approved:
        said.append(Plain(" It is applied by itself as soon as nothing else holds it."))
    return tuple(said)
