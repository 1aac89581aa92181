"""Claims taken and given back, and the code that links two accounts."""

from __future__ import annotations

from bot.domain.gates import command
from bot.domain.results import LinkCode, Locked, Unlocked
from bot.render.document import Bold, Code, Command, Document, Plain, Text, say
from bot.render.words import at, claim, named


def locked(result: Locked) -> Document:
    lock = result.lock
    said = (Bold(str(lock.target)), Plain(" is locked by "), *claim(lock), Plain(". To free it: "))
    free = Command(command("unlock", lock.target))
    return Document(f"{lock.target} is locked", (Text((*said, free)),), "good")


def unlocked(result: Unlocked) -> Document:
    said = (Bold(str(result.target)), Plain(" is free again, by "), *say(result.by), Plain("."))
    told = named([f"#{pull}" for pull in result.told])
    after = (
        Plain(f" {told} waited for it and {'get' if len(result.told) > 1 else 'gets'} a fresh plan now."),
    )
    return Document(
        f"{result.target} is free again", (Text((*said, *(after if result.told else ()))),), "good"
    )


def link_code(result: LinkCode) -> Document:
    place = "a comment on a pull request" if result.where == "github" else "Slack"
    said = (
        Plain(f"Write this in {place}, as yourself: "),
        Code(result.command),
        Plain(
            f". It works once, until {at(result.expires_at)}. Give the code to nobody: whoever uses it becomes you."
        ),
    )
    return Document("Link your accounts", (Text(said),))
