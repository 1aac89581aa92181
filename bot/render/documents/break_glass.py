"""Forced applies: shown prominently until someone else has acknowledged them."""

from __future__ import annotations

import json

from bot.domain.actors import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.run import Run
from bot.domain.target import command
from bot.render.document import (
    Actions,
    Bold,
    Button,
    Command,
    Document,
    Element,
    Facts,
    Heading,
    Link,
    Person,
    Plain,
    Spans,
    Text,
)
from bot.render.format import OUTCOMES, format_time, one_line
from bot.render.markup import actor_span


def forced_apply(follow_up: FollowUp, pull: PullRequest | None = None, run: Run | None = None) -> Document:
    """The message about a forced apply. run: the apply."""
    name = follow_up.actor.login or "someone"
    number = f" of #{follow_up.pull}" if follow_up.pull else ""
    title = f"⚠️ {name} FORCED an apply{number} to {follow_up.target}"
    pairs: list[tuple[str, Spans]] = [
        ("Forced by", (actor_span(follow_up.actor), Plain(f", {format_time(follow_up.created_at)}"))),
        ("Reason", (Plain(one_line(follow_up.reason)),)),
        ("Skipped", (Plain(", ".join(follow_up.skipped) or "no gate that would have refused"),)),
    ]
    if run is not None:
        outcome = "running" if run.active else OUTCOMES[run.outcome or "failed"]
        pairs.append((run.word.capitalize(), (Plain(outcome),)))
    body: list[Element] = [Heading((Plain(title),)), Facts(tuple(pairs)), Text(acknowledgement(follow_up))]
    buttons: list[Button] = []
    if not follow_up.acknowledged_by:
        value = json.dumps({"f": follow_up.id}, separators=(",", ":"))
        buttons.append(Button("Acknowledge", action="acknowledge", value=value, style="danger"))
    if pull is not None and pull.url:
        link = Link(f"{pull.repository}#{pull.number} {one_line(pull.title)}", pull.url)
        body.insert(1, Text((link,)))
        buttons.append(Button("Open pull request", url=pull.url))
    body.append(Actions(tuple(buttons)))
    return Document(title, tuple(body), "plain" if follow_up.acknowledged_by else "bad")


def acknowledgement(follow_up: FollowUp) -> Spans:
    """Say who acknowledged it and when, or who must."""
    if follow_up.acknowledged_by:
        when = f", {format_time(follow_up.acknowledged_at)}" if follow_up.acknowledged_at else ""
        return (Plain("Acknowledged by "), Person(follow_up.acknowledged_by), Plain(f"{when}."))
    return (
        Bold("Not yet acknowledged."),
        Plain(" Someone other than "),
        actor_span(follow_up.actor),
        Plain(" has to review it and run "),
        Command(command("acknowledge", follow_up.target)),
        Plain("."),
    )


def unacknowledged(follow_up: FollowUp) -> Spans:
    """`⚠️ **FORCED by @ann: reason — not yet acknowledged**`, for a cell or a line."""
    return forced_by(follow_up.actor, f"{one_line(follow_up.reason)} — not yet acknowledged")


def forced_by(actor: Actor, reason: str) -> Spans:
    """`⚠️ **FORCED by @ann: reason**`."""
    name = f"@{actor.login}" if actor.login else "someone"
    return (Plain("⚠️ "), Bold(f"FORCED by {name}: {reason}"))
