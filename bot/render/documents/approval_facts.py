"""The facts about an approval: who requested it, who approved, what is missing, and how it ended."""

from __future__ import annotations

from bot.domain.approvals import Approval, Decision, missing_approvals
from bot.domain.chat import ApprovalRequest
from bot.domain.release import Release
from bot.domain.run import Run
from bot.render.document import Bold, Code, Link, Person, Plain, Spans
from bot.render.format import OUTCOMES, commit_link, count, format_time, one_line
from bot.render.markup import actor_span, join_spans, to_spans

_ENDED = {"used": "Approved", "rejected": "Rejected", "expired": "Expired", "dead": "No longer valid"}
_PLATFORMS = {"github": " on GitHub", "slack": " in Slack"}


def approval_facts(request: ApprovalRequest) -> list[tuple[str, Spans]]:
    """Return commit, requester, source release, expiry and approvals, each with its label."""
    state, approval = request.state, request.state.approval
    pairs: list[tuple[str, Spans]] = [
        ("Commit", commit_link(approval.commit, request.pull)),
        ("Requested by", (actor_span(approval.actor), Plain(f", {format_time(approval.created_at)}"))),
    ]
    if request.page.startswith("http"):
        pairs.append(("Plan", (Link("all changes", request.page),)))
    if request.stage is not None:
        pairs.append((request.stage.target.environment.capitalize(), source_release(request.stage)))
    if approval.live:
        pairs.append(("Expires", (Plain(format_time(approval.expires_at)),)))
    nobody = Plain("nobody yet" if approval.live else "nobody")
    pairs.append(("Approved by", decision_list(state.approved) or (nobody,)))
    if state.void:
        pairs.append(("No longer counts", decision_list(state.void)))
    if approval.live and not state.missing.complete:
        pairs.append(("Still needed", to_spans(missing_approvals(approval, state.missing))))
    return pairs


def decision_list(decisions: tuple[Decision, ...]) -> Spans:
    """`@bob in Slack, 22 Nov 14:03 UTC; @carol on GitHub, …`."""
    parts: list[Spans] = [
        (Person(one.login), Plain(f"{_PLATFORMS.get(one.via, '')}, {format_time(one.at)}"))
        for one in decisions
    ]
    return join_spans(parts, "; ")


def source_release(release: Release) -> Spans:
    """Describe the release that is promoted."""
    when = format_time(release.verified_at or release.created_at)
    result = {
        "passed": f"verified by {count(len(release.checks), 'smoke check')}, {when}",
        "failed": f"smoke checks FAILED, {when}",
        "running": "smoke checks running",
    }.get(release.verification, f"applied {when}, without smoke checks")
    parts: list[Spans] = [(Code(release.commit[:7]), Plain(f" {result}"))]
    if release.forced:
        parts.append((Bold(f"FORCED there: {one_line(release.forced)}"),))
    if not release.active:
        parts.append((Bold("no longer deployed"),))
    return join_spans(parts)


def approval_outcome(request: ApprovalRequest) -> Spans:
    """Say what happens next, or how the request ended and what became of the apply."""
    approval = request.state.approval
    if not approval.live:
        return (*ended_approval(approval), *_apply_outcome(request.run))
    if request.plan is None or approval.status == "planning":
        return (Plain("The plan is being made. You can approve it as soon as it is ready."),)
    apply = to_spans(f"`{request.apply_command}`") if request.apply_command else (Code("/apply"),)
    if not request.state.missing.complete:
        after: Spans = (
            (Plain("It is applied automatically after the last approval."),)
            if approval.when_approved
            else (Plain("Once approved, it is applied with "), *apply, Plain("."))
        )
        return (*after, Plain(" A push or a new plan invalidates this request."))
    if approval.when_approved:
        return (Bold("Approved."), Plain(" It is applied automatically once nothing else blocks it."))
    return (Bold("Approved."), Plain(" Next: "), *apply)


def ended_approval(approval: Approval) -> Spans:
    """`**Rejected** 22 Nov 14:23 UTC: @bob rejected it: not today.`"""
    since = " since" if approval.status == "dead" else ""
    when = f"{since} {format_time(approval.ended_at)}" if approval.ended_at else ""
    reason = to_spans(f": {one_line(approval.why).rstrip('.')}") if approval.why else ()
    return (Bold(_ENDED.get(approval.status, "Ended")), Plain(when), *reason, Plain("."))


def _apply_outcome(run: Run | None) -> Spans:
    if run is None:
        return ()
    if run.active:
        return (Plain(" Reverting now." if run.reverts else " Applying now."),)
    if run.outcome == "applied":
        outcome = "Reverted" if run.reverts else "Applied"
    else:
        outcome = f"{run.word.capitalize()} {OUTCOMES[run.outcome or 'failed']}"
    ended = f" {format_time(run.finished_at)}" if run.finished_at else ""
    message = to_spans(f" {one_line(run.message)}") if run.message else ()
    return (Plain(" "), Bold(outcome), Plain(f"{ended}."), *message)
