"""Reviews of pull requests."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.people import association
from bot.playground.github.records import Pull, Review, User
from bot.playground.github.state import Refusal, State


def review(state: State, pull: Pull, author: User, word: str, body: str, commit: str) -> Review:
    """Give a review (`word`: APPROVED, CHANGES_REQUESTED or COMMENTED) at one commit of the pull request.

    Raises Refusal 422, as GitHub does, for an own pull request and for a refusal or comment without words.
    """
    from bot.playground.github import pulls

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
        shown = {**view(state, made), "state": word.lower()}
        payload = {"action": "submitted", "review": shown, "pull_request": pulls.simple(state, pull)}
        state.emit("pull_request_review", pull.repo, payload, author)
    return made


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
