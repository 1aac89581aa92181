"""Reviews of pull requests: submit, edit, dismiss."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.access import author_association, role_of
from bot.playground.github.call import validation_failed
from bot.playground.github.pull_views import simple
from bot.playground.github.records import Pull, Review, User
from bot.playground.github.state import ROLES, Refusal, State


def submit(state: State, pull: Pull, author: User, verdict: str, body: str, commit: str) -> Review:
    """Submit a review of one commit of the pull request. verdict: APPROVED, CHANGES_REQUESTED or COMMENTED.

    Raises Refusal 422 if authors approve or request changes on their own pull request, or if a body is required and
    missing; 404 if the author cannot see the repository.
    """
    if role_of(pull.repo, author) == "none":
        raise Refusal(404, "Not Found")
    if author is pull.author and verdict != "COMMENTED":
        what = "approve" if verdict == "APPROVED" else "request changes on"
        raise Refusal(422, "Unprocessable Entity", [f"Can not {what} your own pull request"])
    if verdict != "APPROVED" and not body.strip():
        raise Refusal(422, "Unprocessable Entity", ["Body can not be blank"])
    if commit not in pull.shas:
        raise Refusal(422, "Unprocessable Entity", ["The commit is not part of the pull request"])
    with state.change():
        review = Review(state.next_id(), pull, author, verdict, body, commit, state.now())
        state.reviews[review.id] = review
        _emit(state, "submitted", review, author)
    return review


def edit(state: State, review: Review, actor: User, body: str) -> None:
    """Edit the body of a review. Raises Refusal 403 unless `actor` is its author, 422 for an empty body."""
    if actor is not review.author:
        raise Refusal(403, "Must be the author of the review.")
    if not body.strip():
        raise Refusal(422, "Unprocessable Entity", ["Body can not be blank"])
    with state.change():
        old, review.body = review.body, body
        _emit(state, "edited", review, actor, changes={"body": {"from": old}})


def dismiss(state: State, review: Review, actor: User, message: str) -> None:
    """Dismiss a review. Raises Refusal 422 if it cannot be dismissed or `message` is empty, 403 without write access."""
    if ROLES.index(role_of(review.pull.repo, actor)) < ROLES.index("write") and actor.type != "Bot":
        raise Refusal(403, "Must have push access to repository.")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        what = review.state.lower()
        raise Refusal(422, "Unprocessable Entity", [f"Can not dismiss a {what} pull request review"])
    if not message.strip():
        raise validation_failed("PullRequestReview", "message", "missing_field")
    with state.change():
        review.state = "DISMISSED"
        _emit(state, "dismissed", review, actor)


def find(state: State, pull: Pull, number: int) -> Review:
    """Return a review of this pull request. Raises Refusal 404."""
    review = state.reviews.get(number)
    if review is None or review.pull is not pull:
        raise Refusal(404, "Not Found")
    return review


def _emit(state: State, action: str, review: Review, sender: User, **more: Any) -> None:
    shown = {**view(state, review), "state": review.state.lower()}
    payload = {"action": action, "review": shown, "pull_request": simple(state, review.pull), **more}
    state.emit("pull_request_review", review.pull.repo, payload, sender)


def view(state: State, review: Review) -> dict[str, Any]:
    """Return a review's JSON."""
    pull = review.pull
    page = f"{state.url}/{pull.repo.full_name}/pull/{pull.number}"
    url = f"{views.repo_api(state, pull.repo)}/pulls/{pull.number}"
    html = f"{page}#pullrequestreview-{review.id}"
    return {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": views.user(state, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": author_association(pull.repo, review.author),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": views.timestamp(review.submitted_at),
        "commit_id": review.commit,
    }
