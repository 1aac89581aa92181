"""What people press on the left: GitHub's buttons, for those to whom GitHub would show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.errors import UserError
from bot.playground import sample
from bot.playground.github import access, merging, plumbing
from bot.playground.github.records import Pull, Repo
from bot.playground.github.state import ROLES
from bot.playground.page.asked import Asked
from bot.playground.world import REPOSITORY, World

Act = Callable[[World, Asked], dict[str, Any] | None]
"""Does what was asked; may return what the page should go to. Raises UserError, or the stand-in's Refusal."""

EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}
TITLES = {
    "bigger-web": "Bigger web server",
    "new-image": "Debian 13 for the web server",
    "drop-dns": "Drop the DNS record",
    "add-server": "A server for the API",
    "slow-server": "A large batch server (takes its time)",
    "more-nodes": "One more node in the cluster",
    "broken": "A change with a mistake in it",
}


def title_of(change: str) -> str:
    """What a pull request with one of the sample's changes is called."""
    return TITLES.get(change) or change.replace("-", " ").capitalize()


def may_write(world: World, login: str) -> bool:
    """Whether GitHub shows this person the buttons that need the write role."""
    state = world.github.state
    role = access.role_of(state.repo(REPOSITORY), state.user(login))
    return ROLES.index(role) >= ROLES.index("write")


def the_pull(world: World, number: int) -> Pull:
    state = world.github.state
    return state.pull(state.repo(REPOSITORY), number)


def propose(world: World, asked: Asked) -> dict[str, Any]:
    change, author = _change(asked), asked.text("author")
    title = asked.text("title", "").strip() or title_of(change)
    where = REPOSITORY if may_write(world, author) else _fork(world, author)
    branch = _new_branch(world.github.state.repo(where), f"{author}/{change}")
    world.github.commit_files(where, branch, sample.change(change), author=author, message=title)
    fork = where if where != REPOSITORY else ""
    number = world.github.open_pull(REPOSITORY, author=author, head=branch, title=title, fork=fork)
    return {"pull": number}


def push(world: World, asked: Asked) -> None:
    change, author = _change(asked), asked.text("author")
    pull = the_pull(world, asked.number("pull"))
    source = pull.head_repo or pull.repo
    if not may_write(world, author) and source.owner.login != author:
        raise UserError(f"{author} may not push to {pull.head_ref}.", next_step="Act as somebody else.")
    world.github.commit_files(
        source.full_name, pull.head_ref, sample.change(change), author=author, message=title_of(change)
    )


def comment(world: World, asked: Asked) -> None:
    body = asked.text("body")
    if not body.strip():
        raise UserError("The comment is empty.")
    world.github.comment(REPOSITORY, asked.number("pull"), author=asked.text("author"), body=body)


def react(world: World, asked: Asked) -> None:
    world.github.react(asked.number("comment"), actor=asked.text("author"), content=asked.text("content"))


def review(world: World, asked: Asked) -> None:
    word, body = asked.text("state"), asked.text("body", "")
    if word == "CHANGES_REQUESTED" and not body.strip():
        raise UserError("Requesting changes needs words.", next_step="Write what should change.")
    number, login = asked.number("pull"), asked.text("author")
    if word == "APPROVED":
        world.github.review(REPOSITORY, number, author=login, state="APPROVED", body=body)
    elif word == "CHANGES_REQUESTED":
        world.github.review(REPOSITORY, number, author=login, state="CHANGES_REQUESTED", body=body)
    else:
        raise UserError(f"There is no review {word}.")


def merge(world: World, asked: Asked) -> None:
    world.github.merge_pull(REPOSITORY, asked.number("pull"), actor=_writer(world, asked, "merge"))


def update(world: World, asked: Asked) -> None:
    """Merge the base branch into the pull request's, as GitHub's button does."""
    pull, login = the_pull(world, asked.number("pull")), asked.text("author")
    if pull.author.login != login:
        _writer(world, asked, "update the branch")
    merging.update(world.github.state, pull, world.github.state.user(login))


def close(world: World, asked: Asked) -> None:
    number, login = asked.number("pull"), asked.text("author")
    if the_pull(world, number).author.login != login:
        _writer(world, asked, "close")
    world.github.close_pull(REPOSITORY, number, actor=login)


def reopen(world: World, asked: Asked) -> None:
    number, login = asked.number("pull"), asked.text("author")
    if the_pull(world, number).author.login != login:
        _writer(world, asked, "reopen")
    world.github.reopen_pull(REPOSITORY, number, actor=login)


def check(world: World, asked: Asked) -> None:
    """`identifier` is one of the check's own buttons; none is Re-run."""
    identifier = asked.text("identifier", "")
    actor = _writer(world, asked, "re-run")
    world.github.click_check(asked.number("check"), actor=actor, identifier=identifier)


ACTS: Mapping[str, Act] = {
    "pull.propose": propose,
    "pull.push": push,
    "pull.comment": comment,
    "pull.react": react,
    "pull.review": review,
    "pull.merge": merge,
    "pull.update": update,
    "pull.close": close,
    "pull.reopen": reopen,
    "pull.check": check,
}


def _change(asked: Asked) -> str:
    change = asked.text("change")
    if change not in sample.CHANGES:
        raise UserError(f"The sample has no change {change}.")
    return change


def _writer(world: World, asked: Asked, verb: str) -> str:
    login = asked.text("author")
    if not may_write(world, login):
        raise UserError(f"GitHub does not let {login} {verb} here: it needs the write role.")
    return login


def _fork(world: World, login: str) -> str:
    name = f"{login}/{REPOSITORY.partition('/')[2]}"
    return name if name.lower() in world.github.state.repos else world.github.fork(REPOSITORY, login)


def _new_branch(repo: Repo, name: str) -> str:
    taken, found, number = plumbing.refs(repo.path), name, 1
    while f"refs/heads/{found}" in taken:
        number += 1
        found = f"{name}-{number}"
    return found
