"""Reviews of pull requests."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.access import role_of
from bot.playground.github.call import invalid
from bot.playground.github.people import association
from bot.playground.github.records import Pull, Review, User
from bot.playground.github.state import ROLES, Refusal, State


def review(state: State, pull: Pull, author: User, word: str, body: str, commit: str) -> Review:
    """Give a review (`word`: APPROVED, CHANGES_REQUESTED or COMMENTED) at one commit of the pull request.

    Raises Refusal 422, as GitHub does, for an own pull request and for a refusal or comment without words; 404 for
    somebody who may not see the repository.
    """
    if role_of(pull.repo, author) == "none":
        raise Refusal(404, "Not Found")
    if author is pull.author and word != "COMMENTED":
        what = "approve" if word == "APPROVED" else "request changes on"
        raise Refusal(422, "Unprocessable Entity", [f"Can not {what} your own pull request"])
    if word != "APPROVED" and not body.strip():
        raise Refusal(422, "Unprocessable Entity", ["Body can not be blank"])
    if commit not in pull.shas:
        raise Refusal(422, "Unprocessable Entity", ["The commit is not part of the pull request"])
    with state.change():
        made = Review(state.next_id(), pull, author, word, body, commit, state.now())
        state.reviews[made.id] = made
        _emit(state, "submitted", made, author)
    return made


def edit(state: State, one: Review, actor: User, body: str) -> None:
    """Change a review's words, which its author alone may; state and commit stay. Raises Refusal 403 and 422."""
    if actor is not one.author:
        raise Refusal(403, "Must be the author of the review.")
    if not body.strip():
        raise Refusal(422, "Unprocessable Entity", ["Body can not be blank"])
    with state.change():
        old, one.body = one.body, body
        _emit(state, "edited", one, actor, changes={"body": {"from": old}})


def dismiss(state: State, one: Review, actor: User, message: str) -> None:
    """Take a review's weight away. Raises Refusal 422 where it has none or nothing is said, 403 without write."""
    if ROLES.index(role_of(one.pull.repo, actor)) < ROLES.index("write") and actor.type != "Bot":
        raise Refusal(403, "Must have push access to repository.")
    if one.state not in ("APPROVED", "CHANGES_REQUESTED"):
        what = one.state.lower()
        raise Refusal(422, "Unprocessable Entity", [f"Can not dismiss a {what} pull request review"])
    if not message.strip():
        raise invalid("PullRequestReview", "message", "missing_field")
    with state.change():
        one.state = "DISMISSED"
        _emit(state, "dismissed", one, actor)


def find(state: State, pull: Pull, number: int) -> Review:
    """Raises Refusal 404."""
    one = state.reviews.get(number)
    if one is None or one.pull is not pull:
        raise Refusal(404, "Not Found")
    return one


def _emit(state: State, action: str, one: Review, sender: User, **more: Any) -> None:
    from bot.playground.github import pulls

    shown = {**view(state, one), "state": one.state.lower()}
    payload = {"action": action, "review": shown, "pull_request": pulls.simple(state, one.pull), **more}
    state.emit("pull_request_review", one.pull.repo, payload, sender)


def view(state: State, one: Review) -> dict[str, Any]:
    pull = one.pull
    page = f"{state.url}/{pull.repo.full_name}/pull/{pull.number}"
    url = f"{views.repo_api(state, pull.repo)}/pulls/{pull.number}"
    html = f"{page}#pullrequestreview-{one.id}"
    return {
        "id": one.id,
        "node_id": f"PRR_{one.id}",
        "user": views.user(state, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": association(pull.repo, one.author),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": views.stamp(one.submitted_at),
        "commit_id": one.commit,
    }
