"""What a break-glass leaves to do: said loudly, until somebody else has acknowledged it."""

from __future__ import annotations

import json

from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.run import Run
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
    who,
)
from bot.render.words import ENDED, at, cut


def follow_up(one: FollowUp, pull: PullRequest | None = None, run: Run | None = None) -> Document:
    """run: the forced apply."""
    name = one.actor.login or "somebody"
    title = f"⚠️ {name} FORCED an apply" + (f" of #{one.pull}" if one.pull else "") + f" to {one.target}"
    pairs: list[tuple[str, Spans]] = [
        ("Forced by", (who(one.actor), Plain(f", {at(one.created_at)}"))),
        ("Reason", (Plain(cut(one.reason)),)),
        ("Skipped", (Plain(", ".join(one.skipped) or "nothing that would have stopped it"),)),
    ]
    if run is not None:
        ended = "is at work" if run.active else ENDED[run.outcome or "failed"]
        pairs.append(("The apply", (Plain(ended),)))
    body: list[Element] = [Heading((Plain(title),)), Facts(tuple(pairs)), Text(acknowledged(one))]
    buttons: list[Button] = []
    if not one.acknowledged_by:
        value = json.dumps({"f": one.id}, separators=(",", ":"))
        buttons.append(Button("Acknowledge", action="acknowledge", value=value, style="danger"))
    if pull is not None and pull.url:
        body.insert(1, Text((Link(f"{pull.repository}#{pull.number} {cut(pull.title)}", pull.url),)))
        buttons.append(Button("Open pull request", url=pull.url))
    body.append(Actions(tuple(buttons)))
    return Document(title, tuple(body), "plain" if one.acknowledged_by else "bad")


def acknowledged(one: FollowUp) -> Spans:
    """By whom and when, or who must."""
    if one.acknowledged_by:
        when = f", {at(one.acknowledged_at)}" if one.acknowledged_at else ""
        return (Plain("Acknowledged by "), Person(one.acknowledged_by), Plain(f"{when}."))
    other = (Plain(" Somebody other than "), who(one.actor), Plain(" looks at it and says "))
    return (Bold("Not yet acknowledged."), *other, Command(command("acknowledge", one.target)), Plain("."))


def loud(one: FollowUp) -> Spans:
    """`⚠️ **FORCED by @ann: reason — not yet acknowledged**`, for a cell or a line."""
    return forced(one.actor, f"{cut(one.reason)} — not yet acknowledged")


def forced(actor: Actor, reason: str) -> Spans:
    """`⚠️ **FORCED by @ann: reason**`."""
    name = f"@{actor.login}" if actor.login else "somebody"
    return (Plain("⚠️ "), Bold(f"FORCED by {name}: {reason}"))
