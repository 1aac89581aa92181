"""Locks that were taken and released, and the code that links two accounts."""

from __future__ import annotations

from bot.domain.chat import LinkCode, Locked, Unlocked
from bot.domain.target import command
from bot.render.document import Bold, Code, Command, Document, Plain, Text
from bot.render.format import format_time, join_names, locked_by
from bot.render.markup import to_spans


def locked(result: Locked) -> Document:
    lock = result.lock
    spans = (Bold(str(lock.target)), Plain(" is "), *locked_by(lock), Plain(". To release it: "))
    unlock = Command(command("unlock", lock.target))
    return Document(f"{lock.target} is locked", (Text((*spans, unlock)),), "good")


def unlocked(result: Unlocked) -> Document:
    spans = (Bold(str(result.target)), Plain(" was unlocked by "), *to_spans(result.by), Plain("."))
    if result.waiting_pulls:
        names = join_names([f"#{pull}" for pull in result.waiting_pulls])
        verb = (
            "were waiting and get new plans"
            if len(result.waiting_pulls) > 1
            else "was waiting and gets a new plan"
        )
        spans = (*spans, Plain(f" {names} {verb}."))
    return Document(f"{result.target} is unlocked", (Text(spans),), "good")


def link_code(result: LinkCode) -> Document:
    place = "in a comment on a pull request" if result.where == "github" else "in Slack"
    spans = (
        Plain(f"From your own account, write this {place}: "),
        Code(result.command),
        Plain(
            f". The code works once, until {format_time(result.expires_at)}. Do not share it: it links whoever uses it "
            "to your account."
        ),
    )
    return Document("Link your accounts", (Text(spans),))
