"""What a command is answered, once: where it was said, and not so often that a stranger could flood a pull request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.answers import Refused
from bot.domain.grammar import Word
from bot.domain.people import Actor
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.domain.requests import Said
from bot.domain.results import Faulted, Result
from bot.services.context import Context

QUIET = timedelta(hours=1)
"""How long an answer to an outsider counts: they find it above, and anybody may comment on a public pull request."""


@dataclass(frozen=True)
class Place:
    """The repository and pull request that a command speaks of, and its words without them."""

    repository: str
    number: int
    words: list[Word]
    channel: str = ""
    own: bool = False
    """Whether the channel spoke of this repository before, or it is the only one there is."""


def answer(
    context: Context, said: Said, actor: Actor, index: int, place: Place, name: str, result: Result
) -> bool:
    """Answer the command `name` ("" where none could be read); False where its reaction alone has to do."""
    if not said.origin.comment:
        tell(context, said, index, place, result)
        return True
    about = "refused" if isinstance(result, Refused | Faulted) else name
    subject = f"{actor.login}/{about}@{place.repository}#{place.number}"
    if enough := _told(context, subject) and _outside(context, actor, place):
        silent(context, said, index, place)
    else:
        tell(context, said, index, place, result, mark=subject)
    return not enough


def tell(context: Context, said: Said, index: int, place: Place, result: Result, *, mark: str = "") -> None:
    """Answer where it was said; `mark`: a subject under which the time is kept."""
    with context.store.begin() as tables:
        context.tell(tables, replace(said.origin, index=index), place.repository, place.number, result)
        if mark:
            tables.surfaces.save(_done(context, mark, place))
    context.poke()


def silent(context: Context, said: Said, index: int, place: Place) -> None:
    """An answer that the surfaces give; kept all the same, so that the command is not run a second time."""
    with context.store.begin() as tables:
        tables.surfaces.want(_done(context, f"{said.origin.delivery}:{index}", place))


def answered(context: Context, said: Said, index: int) -> bool:
    """Whether this command was run before: a delivery is entered again after a crash, or when what comes behind it
    had to wait. What was refused as unread then must not be taken as read now."""
    with context.store.read() as tables:
        return tables.surfaces.get(f"reply:{said.origin.delivery}:{index}") is not None


def _done(context: Context, subject: str, place: Place) -> Surface:
    posted = Surface(f"reply:{subject}", "reply", subject, place.repository, place.number, digest="posted")
    return replace(posted, settled_at=context.now())


def _told(context: Context, subject: str) -> bool:
    """Whether they were answered so, by this command or by a refusal of any, within QUIET."""
    with context.store.read() as tables:
        last = tables.surfaces.get(f"reply:{subject}")
    return last is not None and last.settled_at is not None and context.now() - last.settled_at < QUIET


def _outside(context: Context, actor: Actor, place: Place) -> bool:
    """Whether they have no access of their own: anybody may read a public repository."""
    try:
        role = context.forge.role(place.repository, actor.login)
        return role == "none" or (role == "read" and not context.known(place.repository).private)
    except ForgeError:
        return False
