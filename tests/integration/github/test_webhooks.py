"""What the stand-in delivers, and what the intake reads in it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.forge import CheckRun
from bot.github import events
from bot.github.webhook import sign, verify
from tests.integration.github.world import REPO, World, make

SECRET = "s3cret"


class Inbox:
    """A receiver that keeps what it gets, and answers with `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                inbox.got.append((dict(self.headers), body))
                self.send_response(inbox.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/github/webhook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def events(self) -> list[events.Event]:
        read = (events.read(headers["X-GitHub-Event"], json.loads(body)) for headers, body in self.got)
        return [event for event in read if event]

    def guids(self) -> list[str]:
        return [headers["X-GitHub-Delivery"] for headers, _ in self.got]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.fixture
def hooked(tmp_path: Path, inbox: Inbox) -> Iterator[World]:
    """As `world`, its App delivering to the inbox from now on."""
    made = make(tmp_path / "git")
    from bot.playground.github.admin_actions import EVENTS
    from bot.playground.github.records import Hook

    made.app.hook = Hook(made.hub.state.next_id(), inbox.url, SECRET, EVENTS)
    yield made
    made.close()


def test_a_pull_requests_life(hooked: World, inbox: Inbox) -> None:
    hub, number = hooked.hub, hooked.number
    comment = hub.comment(REPO, number, author="ann", body="/plan")
    hub.edit_comment(comment, actor="ann", body="/plan dev")
    sha = hub.commit_files(REPO, "feature", {"infra/b.tf": "# b\n"}, author="ann", message="More")
    review = hub.review(REPO, number, author="bob", state="APPROVED")
    hub.edit_review(REPO, number, review, actor="bob", body="/apply staging")
    hub.dismiss_review(REPO, number, review, actor="carol")
    check = CheckRun("towpath/dev", sha, "in_progress", None, "Planning", "…", external_id="run-1")
    check_id = hooked.forge.check(REPO, check).id
    hub.click_check(check_id, actor="ann")
    hub.set_draft(REPO, number, actor="ann", draft=True)
    hub.set_draft(REPO, number, actor="ann", draft=False)
    hub.merge_pull(REPO, number, actor="bob")
    hub.delete_comment(comment, actor="carol")
    assert hub.webhooks.drain()
    for headers, body in inbox.got:
        assert verify(SECRET, body, headers["X-Hub-Signature-256"])
    seen = inbox.events()
    kinds = [(type(event).__name__.removesuffix("Event"), getattr(event, "action", "")) for event in seen]
    assert kinds == [
        ("Comment", "created"),
        ("Comment", "edited"),
        ("Push", ""),
        ("PullRequest", "synchronize"),
        ("Review", "submitted"),
        ("Review", "edited"),
        ("Review", "dismissed"),
        ("CheckRun", "rerequested"),
        ("PullRequest", "converted_to_draft"),
        ("PullRequest", "ready_for_review"),
        ("PullRequest", "closed"),
        ("Push", ""),
        ("Comment", "deleted"),
    ]
    said, pushed, synced, approved, dismissed, clicked = seen[0], *seen[2:5], *seen[6:8]
    assert isinstance(said, events.CommentEvent)
    assert (said.body, said.author, said.author_type, said.number) == ("/plan", "ann", "User", number)
    assert said.is_pull_request
    assert said.comment_id == comment
    assert said.repository.clone_url == f"{hub.url}/acme/infra.git"
    assert isinstance(pushed, events.PushEvent)
    assert (pushed.ref, pushed.before, pushed.after) == ("refs/heads/feature", hooked.sha, sha)
    assert not pushed.deleted
    assert isinstance(synced, events.PullRequestEvent)
    assert (synced.head_sha, synced.before, synced.sender) == (sha, hooked.sha, "ann")
    assert isinstance(approved, events.ReviewEvent)
    assert (approved.review.state, approved.review.commit, approved.review.author) == ("approved", sha, "bob")
    assert isinstance(dismissed, events.ReviewEvent)
    assert (dismissed.review.state, dismissed.review.author, dismissed.sender) == (
        "dismissed",
        "bob",
        "carol",
    )
    assert isinstance(clicked, events.CheckRunEvent)
    assert (clicked.external_id, clicked.pulls, clicked.sender) == ("run-1", (number,), "ann")
    closed = seen[10]
    assert isinstance(closed, events.PullRequestEvent)
    assert closed.pull.state == "merged"


def test_the_merge_queue_and_the_installation(hooked: World, inbox: Inbox) -> None:
    hub = hooked.hub
    sha = hub.queue_pull(REPO, hooked.number, actor="bob")
    then = hub.queue_pull(REPO, hooked.number, actor="bob", behind=sha)
    hub.create_repo("acme/other", {"a": "b"})
    hub.select_repositories(hooked.app, removed=["acme/other"], actor="carol")
    assert hub.webhooks.drain()
    asked, behind, left = inbox.events()
    assert isinstance(asked, events.MergeGroupEvent)
    assert (asked.head_sha, asked.base_ref, asked.number) == (sha, "refs/heads/main", hooked.number)
    assert isinstance(behind, events.MergeGroupEvent)
    assert (behind.head_sha, behind.base_sha, behind.number) == (then, sha, hooked.number)
    assert isinstance(left, events.InstallationEvent)
    assert (left.added, left.removed) == ((), ("acme/other",))
    assert [one.name for one in hooked.forge.repositories()] == [REPO]
    check = CheckRun("towpath", sha, "completed", "success", "Nothing to plan", "…")
    assert hooked.forge.check(REPO, check).id


def test_a_repositorys_own_hook(world: World, inbox: Inbox) -> None:
    world.hub.add_hook(REPO, inbox.url, SECRET)
    world.hub.comment(REPO, world.number, author="ann", body="hi")
    assert world.hub.webhooks.drain()
    assert [headers["X-GitHub-Event"] for headers, _ in inbox.got] == ["issue_comment"]
    assert "installation" not in json.loads(inbox.got[0][1])


def test_held_shuffled_and_doubled(hooked: World, inbox: Inbox) -> None:
    hub = hooked.hub
    hub.webhooks.hold()
    for number in range(8):
        hub.comment(REPO, hooked.number, author="ann", body=str(number))
    assert hub.webhooks.drain()
    assert inbox.got == []
    hub.webhooks.release(shuffled=3)
    assert hub.webhooks.drain()
    bodies = [event.body for event in inbox.events() if isinstance(event, events.CommentEvent)]
    assert sorted(bodies) == [str(number) for number in range(8)] != bodies
    hub.webhooks.redeliver(hub.webhooks.log[0].id)
    assert hub.webhooks.drain()
    assert inbox.guids()[-1] == inbox.guids()[0]
    assert inbox.got[-1][1] == inbox.got[0][1]
    assert hub.webhooks.log[-1].redelivery


def test_the_sweep_asks_for_what_was_missed(hooked: World, inbox: Inbox) -> None:
    hub, long_ago = hooked.hub, datetime.now(UTC) - timedelta(days=3)
    hub.comment(REPO, hooked.number, author="ann", body="arrives")
    assert hub.webhooks.drain()
    inbox.status = 502
    for number in range(120):
        hub.comment(REPO, hooked.number, author="ann", body=f"missed {number}")
    assert hub.webhooks.drain()
    assert hooked.forge.redeliver_missed(datetime.now(UTC) + timedelta(hours=1)) == 0
    inbox.status, inbox.got[:] = 204, []
    assert hooked.forge.redeliver_missed(long_ago) == 120
    assert hub.webhooks.drain()
    bodies = [event.body for event in inbox.events() if isinstance(event, events.CommentEvent)]
    assert bodies == [f"missed {number}" for number in range(120)]
    assert hooked.forge.redeliver_missed(long_ago) == 0


def test_the_sweep_leaves_alone_what_always_fails(hooked: World, inbox: Inbox) -> None:
    inbox.status = 500
    hooked.hub.comment(REPO, hooked.number, author="ann", body="never")
    assert hooked.hub.webhooks.drain()
    asked = []
    for _ in range(6):
        asked.append(hooked.forge.redeliver_missed(datetime.now(UTC) - timedelta(days=3)))
        assert hooked.hub.webhooks.drain()
    assert asked == [1, 1, 1, 0, 0, 0]
    assert len(set(inbox.guids())) == 1


def test_without_an_app_there_is_nothing_to_ask(tmp_path: Path) -> None:
    world = make(tmp_path / "git", token=True)
    assert world.forge.redeliver_missed(datetime.now(UTC) - timedelta(days=3)) == 0
    world.close()


def test_signatures() -> None:
    # the example of GitHub's documentation
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(secret, body) == good
    assert verify(secret, body, good)
    assert not verify(secret, body + b" ", good)
    assert not verify("another", body, good)


@pytest.mark.parametrize(
    "header",
    [None, "", "sha256=", "sha1=abc", "sha256=zz", "ünïcode", "sha256=" + "0" * 64, "\ud800", "=" * 10_000],
)
def test_bad_signatures_are_false_and_never_raise(header: str | None) -> None:
    assert not verify("secret", b"body", header)


def test_no_secret_lets_nothing_in() -> None:
    assert not verify("", b"body", sign("", b"body"))


def listening(world: World) -> list[int]:
    seen: list[int] = []
    world.hub.subscribe(seen.append)
    return seen


def test_listeners_hear_of_each_change(world: World) -> None:
    seen: Any = listening(world)
    before = world.hub.revision
    world.hub.comment(REPO, world.number, author="ann", body="hi")
    world.forge.comment(REPO, world.number, "hello")
    assert seen == [before + 1, before + 2]
    assert world.hub.revision == before + 2
