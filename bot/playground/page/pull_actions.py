"""Actions on the left half: GitHub's buttons, as offered to each user."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.errors import UserError
from bot.playground import sample
from bot.playground.github import access, git, merges
from bot.playground.github.records import Pull, Repo
from bot.playground.github.state import ROLES
from bot.playground.page.request_fields import RequestFields
from bot.playground.world import REPOSITORY, World

Action = Callable[[World, RequestFields], int | None]
"""Performs an action. May return the number of a pull request to show. Raises UserError, or the stand-in's Refusal."""

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
    "slow-server": "A large batch server (slow to create)",
    "more-nodes": "One more node in the cluster",
    "broken": "A change with a typo",
    "read-users": "Print the machine's /etc/passwd",
}


def title_of(change: str) -> str:
    """Return the default title of a pull request with one of the sample's changes."""
    return TITLES.get(change) or change.replace("-", " ").capitalize()


def may_write(world: World, login: str) -> bool:
    """Whether a user has the write role in the sample repository."""
    state = world.github.state
    role = access.role_of(state.repo(REPOSITORY), state.user(login))
    return ROLES.index(role) >= ROLES.index("write")


def find_pull(world: World, number: int) -> Pull:
    """Return a pull request of the sample repository. Raises Refusal 404."""
    state = world.github.state
    return state.pull(state.repo(REPOSITORY), number)


def propose(world: World, fields: RequestFields) -> int:
    """Open a pull request with one of the sample's changes, from a fork if the author may not write."""
    change, author = _change(fields), fields.text("author")
    title = fields.text("title", "").strip() or title_of(change)
    source = REPOSITORY if may_write(world, author) else _fork(world, author)
    branch = _unused_branch(world.github.state.repo(source), f"{author}/{change}")
    world.github.commit_files(source, branch, sample.change(change), author=author, message=title)
    fork = source if source != REPOSITORY else ""
    return world.github.open_pull(REPOSITORY, author=author, head=branch, title=title, fork=fork)


def push(world: World, fields: RequestFields) -> None:
    """Push one of the sample's changes to the pull request's branch."""
    change, author = _change(fields), fields.text("author")
    pull = find_pull(world, fields.number("pull"))
    source = pull.head_repo or pull.repo
    if not may_write(world, author) and source.owner.login != author:
        raise UserError(f"{author} cannot push to {pull.head_ref}.", next_step="Choose someone else.")
    world.github.commit_files(
        source.full_name, pull.head_ref, sample.change(change), author=author, message=title_of(change)
    )


def comment(world: World, fields: RequestFields) -> None:
    """Post a comment."""
    body = fields.text("body")
    if not body.strip():
        raise UserError("The comment is empty.")
    world.github.comment(REPOSITORY, fields.number("pull"), author=fields.text("author"), body=body)


def react(world: World, fields: RequestFields) -> None:
    """React to a comment."""
    world.github.react(fields.number("comment"), actor=fields.text("author"), content=fields.text("content"))


def review(world: World, fields: RequestFields) -> None:
    """Approve, or request changes."""
    state, body = fields.text("state"), fields.text("body", "")
    if state == "CHANGES_REQUESTED" and not body.strip():
        raise UserError("Requesting changes needs a comment.", next_step="Say what should change.")
    number, login = fields.number("pull"), fields.text("author")
    if state == "APPROVED":
        world.github.review(REPOSITORY, number, author=login, state="APPROVED", body=body)
    elif state == "CHANGES_REQUESTED":
        world.github.review(REPOSITORY, number, author=login, state="CHANGES_REQUESTED", body=body)
    else:
        raise UserError(f"Unknown review state {state}.")


def merge(world: World, fields: RequestFields) -> None:
    """Merge the pull request."""
    actor = _require_writer(world, fields, "merge this pull request")
    world.github.merge_pull(REPOSITORY, fields.number("pull"), actor=actor)


def update_branch(world: World, fields: RequestFields) -> None:
    """Merge the base branch into the pull request's branch."""
    pull, login = find_pull(world, fields.number("pull")), fields.text("author")
    if pull.author.login != login:
        _require_writer(world, fields, "update this branch")
    merges.update_branch(world.github.state, pull, world.github.state.user(login))


def close(world: World, fields: RequestFields) -> None:
    """Close the pull request without merging it."""
    number, login = fields.number("pull"), fields.text("author")
    if find_pull(world, number).author.login != login:
        _require_writer(world, fields, "close this pull request")
    world.github.close_pull(REPOSITORY, number, actor=login)


def reopen(world: World, fields: RequestFields) -> None:
    """Reopen the pull request."""
    number, login = fields.number("pull"), fields.text("author")
    if find_pull(world, number).author.login != login:
        _require_writer(world, fields, "reopen this pull request")
    world.github.reopen_pull(REPOSITORY, number, actor=login)


def click_check(world: World, fields: RequestFields) -> None:
    """Click a button of a check: the one with `identifier`, or Re-run if there is none."""
    identifier = fields.text("identifier", "")
    actor = _require_writer(world, fields, "run this check")
    world.github.click_check(fields.number("check"), actor=actor, identifier=identifier)


ACTIONS: Mapping[str, Action] = {
    "pull.propose": propose,
    "pull.push": push,
    "pull.comment": comment,
    "pull.react": react,
    "pull.review": review,
    "pull.merge": merge,
    "pull.update": update_branch,
    "pull.close": close,
    "pull.reopen": reopen,
    "pull.check": click_check,
}


def _change(fields: RequestFields) -> str:
    change = fields.text("change")
    if change not in sample.CHANGES:
        raise UserError(f"There is no sample change {change}.")
    return change


def _require_writer(world: World, fields: RequestFields, action: str) -> str:
    login = fields.text("author")
    if not may_write(world, login):
        raise UserError(f"{login} needs the write role to {action}.")
    return login


def _fork(world: World, login: str) -> str:
    """Return the user's fork, creating it if missing."""
    name = f"{login}/{REPOSITORY.partition('/')[2]}"
    return name if name.lower() in world.github.state.repos else world.github.fork(REPOSITORY, login)


def _unused_branch(repo: Repo, name: str) -> str:
    """Return `name`, with a number appended if the branch exists."""
    taken, found, number = git.refs(repo.path), name, 1
    while f"refs/heads/{found}" in taken:
        number += 1
        found = f"{name}-{number}"
    return found
