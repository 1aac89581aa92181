"""An approval as people are asked for it, and what became of it."""

from __future__ import annotations

import json

from bot.domain.approval import Approval, Decision, wanted
from bot.domain.release import Release
from bot.domain.results import Asking
from bot.domain.run import Run
from bot.render.document import (
    Actions,
    Bold,
    Button,
    Code,
    Document,
    Element,
    Facts,
    Heading,
    Link,
    Note,
    Person,
    Plain,
    Spans,
    Text,
    Tone,
    join,
    say,
    who,
)
from bot.render.documents.plan import counts, losses, summary_of
from bot.render.words import ENDED, at, commit, count, cut

NAMED = 10
"""Destroyed and replaced resources that the message names; View plan has all."""

SAID = frozenset(["Commit", "Until", "Approved by", "Missing"])
"""Facts that an answer says in a sentence, or that the status comment keeps true."""

_OVER = {"used": "Approved", "rejected": "Rejected", "expired": "Expired", "dead": "Ended"}
_ENDED: dict[str, str] = {
    "used": "{what} was approved",
    "rejected": "{what} was rejected",
    "expired": "{what} was not approved in time",
    "dead": "The request to {verb} no longer holds",
}


def value_of(approval: Approval) -> str:
    """What a button about this approval carries: its id, and the first 16 hex digits of the plan's digest."""
    facts = {"a": approval.id, "d": approval.plan_digest[:16]} | ({} if approval.destroys else {"s": 1})
    return json.dumps(facts, separators=(",", ":"))


def request(asking: Asking) -> Document:
    """The question while it is open, with buttons to answer it by, and its end after it."""
    approval, pull = asking.standing.approval, asking.pull
    title = _title(approval, pull.number)
    body: list[Element] = [Heading((Plain(title),)), Text((Link(_name(asking), pull.url),))]
    body += changes(asking)
    body.append(Facts(tuple(facts(asking))))
    body.append(Text(outcome(asking)))
    body.append(Actions(_buttons(asking)))
    return Document(title, tuple(body), _tone(asking))


def asked(asking: Asking) -> Document:
    """What whoever asked is answered: whose consent is wanted, and where it is seen how it stands."""
    standing, approval = asking.standing, asking.standing.approval
    title = _title(approval, asking.pull.number)
    ready, lacks = approval.status == "open", not standing.missing.complete
    body: tuple[Element, ...] = (
        Text((Bold(title), Plain(" at "), *commit(approval.commit, asking.pull), Plain("."))),
        Text(
            (
                Plain("It needs "),
                *(
                    say(wanted(approval, standing.missing))
                    if lacks
                    else (Plain("nobody's consent any more"),)
                ),
                Plain(f", until {at(approval.expires_at)}." if lacks else "."),
            )
        ),
        Facts(tuple(pair for pair in facts(asking) if pair[0] not in SAID)),
        Note(
            say(
                ("The plan" if ready else "The plan, once it is made,")
                + " and who has answered are in the status comment. "
                f"`/approve {approval.target.environment}`, `/reject {approval.target.environment} <reason>`, an "
                "approving review of this commit, or Slack."
            )
        ),
    )
    return Document(title, body, _tone(asking))


def changes(asking: Asking) -> tuple[Element, ...]:
    """What the plan does: what it destroys by name, then counts."""
    summary = summary_of(asking.plan)
    if summary is None:
        return ()
    return (*losses(summary, NAMED), Text((Plain("Changes: "), *counts(summary))))


def facts(asking: Asking) -> list[tuple[str, Spans]]:
    """Commit, requester, the stage before, time, and who has consented, each with its label."""
    standing, approval = asking.standing, asking.standing.approval
    pairs: list[tuple[str, Spans]] = [
        ("Commit", commit(approval.commit, asking.pull)),
        ("Asked by", (who(approval.actor), Plain(f", {at(approval.created_at)}"))),
    ]
    if asking.stage is not None:
        pairs.append((asking.stage.target.environment.capitalize(), stage(asking.stage)))
    if approval.live:
        pairs.append(("Until", (Plain(at(approval.expires_at)),)))
    pairs.append(
        ("Approved by", voices(standing.approved) or (Plain("nobody yet" if approval.live else "nobody"),))
    )
    if standing.void:
        pairs.append(("No longer counts", voices(standing.void)))
    if approval.live and not standing.missing.complete:
        pairs.append(("Missing", say(wanted(approval, standing.missing))))
    return pairs


def voices(decisions: tuple[Decision, ...]) -> Spans:
    """`@bob in Slack, 22 Nov 14:03 UTC`, of each."""
    places = {"github": " on GitHub", "slack": " in Slack"}
    said: list[Spans] = [
        (Person(one.login), Plain(f"{places.get(one.via, '')}, {at(one.at)}")) for one in decisions
    ]
    return join(said, "; ")


def stage(release: Release) -> Spans:
    """What the stage before says of the release that is promoted."""
    when = at(release.verified_at or release.created_at)
    said = {
        "passed": f"verified by {count(len(release.checks), 'smoke check')}, {when}",
        "failed": f"smoke checks FAILED, {when}",
        "running": "smoke checks are running",
    }.get(release.verification, f"applied {when}, without smoke checks")
    parts: list[Spans] = [(Code(release.commit[:7]), Plain(f" {said}"))]
    if release.forced:
        parts.append((Bold(f"FORCED there: {cut(release.forced)}"),))
    if not release.active:
        parts.append((Bold("does not stand there any more"),))
    return join(parts)


def outcome(asking: Asking) -> Spans:
    """What happens next, or how it ended and what became of the apply."""
    approval = asking.standing.approval
    if not approval.live:
        return (*over(approval), *_apply(asking))
    if asking.plan is None or approval.status == "planning":
        return (Plain("The plan is being made. You are asked as soon as it is there."),)
    ask = say(f"`{asking.apply_command}`") if asking.apply_command else (Code("/apply"),)
    if not asking.standing.missing.complete:
        after = (
            (Plain("It is applied by itself when the last approval is in."),)
            if approval.when_approved
            else (Plain("When all have approved, it waits for "), *ask, Plain("."))
        )
        return (*after, Plain(" A push or a new plan ends this request."))
    if approval.when_approved:
        return (Bold("Approved."), Plain(" It is applied by itself as soon as nothing else holds it."))
    return (Bold("Approved."), Plain(" Next: "), *ask)


def over(approval: Approval) -> Spans:
    """`**Rejected**, 22 Nov 14:23 UTC: @bob rejected it: not today.`"""
    when = f", {at(approval.ended_at)}" if approval.ended_at else ""
    why = say(f": {cut(approval.why).rstrip('.')}") if approval.why else ()
    return (Bold(_OVER.get(approval.status, "Ended")), Plain(when), *why, Plain("."))


def _apply(asking: Asking) -> Spans:
    run: Run | None = asking.run
    if run is None:
        return ()
    what = "revert" if run.reverts else "apply"
    if run.active:
        return (Plain(f" The {what} is at work."),)
    message = f" {cut(run.message)}" if run.message else ""
    ended = f", {at(run.finished_at)}" if run.finished_at else ""
    return (
        Plain(f" The {what}: "),
        Bold("reverted" if run.reverts and run.outcome == "applied" else f"{ENDED[run.outcome or 'failed']}"),
        Plain(f"{ended}."),
        *say(message),
    )


def _buttons(asking: Asking) -> tuple[Button, ...]:
    approval, value = asking.standing.approval, value_of(asking.standing.approval)
    buttons: list[Button] = []
    if approval.live and approval.status != "planning" and asking.plan is not None:
        buttons.append(Button("Approve", action="modal:approve", value=value, style="primary"))
        buttons.append(Button("Reject", action="modal:reject", value=value, style="danger"))
        buttons.append(Button("View plan", action="modal:plan", value=value))
    elif approval.live and asking.link.startswith("http"):
        buttons.append(Button("Log", url=asking.link))
    return (*buttons, Button("Open pull request", url=asking.pull.url)) if asking.pull.url else tuple(buttons)


def _title(approval: Approval, pull: int) -> str:
    name = approval.actor.login or ("Somebody in Slack" if approval.actor.slack else "Towpath")
    said = _ENDED.get(approval.status, "{name} asks to {verb}")
    verb = f"revert {approval.target}" if approval.reverts else f"apply #{pull} to {approval.target}"
    what = f"The revert of {approval.target}" if approval.reverts else f"#{pull} for {approval.target}"
    return said.format(name=name, what=what, verb=verb)


def _name(asking: Asking) -> str:
    return f"{asking.pull.repository}#{asking.pull.number} {cut(asking.pull.title)}"


def _tone(asking: Asking) -> Tone:
    status = asking.standing.approval.status
    tones: dict[str, Tone] = {"used": "good", "rejected": "bad", "expired": "warning", "dead": "warning"}
    return tones.get(status, "plain")
