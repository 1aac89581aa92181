"""Rows for tests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.actors import Actor
from bot.domain.lock import Lock, Waiter
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.surfaces import Surface
from bot.domain.release import Release
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROD = Target("acme/infra", "infra", "prod")
TEST = Target("acme/infra", "infra", "test", "pr-7")
ANN = Actor(login="ann", slack="T1/U1", via="slack")
BOB = Actor(login="bob")
FILE = b"plan file with password hunter2-hunter2"


def pull(number: int = 7, **more: Any) -> PullRequest:
    facts: dict[str, Any] = {
        "repository": "acme/infra",
        "number": number,
        "title": "Größer 🎉",
        "author": "ann",
        "state": "open",
        "draft": False,
        "head_sha": "a" * 40,
        "head_ref": "more",
        "head_repository": "acme/infra",
        "base_ref": "main",
        "base_sha": "b" * 40,
        "url": "https://example.com/pull/7",
    }
    return PullRequest(**facts | more)


def repository(name: str = "acme/infra") -> Repository:
    return Repository(
        name, "main", f"https://example.com/{name}.git", f"https://example.com/{name}", private=True
    )


def run(run_id: str = "r1", **more: Any) -> Run:
    facts: dict[str, Any] = {
        "kind": "plan",
        "target": PROD,
        "pull": 7,
        "commit": "c1",
        "actor": ANN,
        "origin": Origin(delivery="d1", index=1, comment=2**40, channel="C1"),
        "progress": {"aws_instance.a": "started"},
        "created_at": NOW,
    }
    return Run(id=run_id, **facts | more)


def plan(plan_id: str = "p1", file: bytes = FILE, **more: Any) -> Plan:
    facts: dict[str, Any] = {
        "run_id": "r1",
        "target": PROD,
        "pull": 7,
        "commit": "c1",
        "base_commit": "b1",
        "digest": hashlib.sha256(file).hexdigest(),
        "policy": "po",
        "engine": "terraform 1.11.4",
        "lineage": "l",
        "serial": 3,
        "tree": "t",
        "worktree": f"/worktrees/{plan_id}",
        "root": "infra",
        "has_changes": True,
        "summary": {"add": 1, "changes": [{"address": "a"}]},
        "backend": {"bucket": "b"},
        "created_at": NOW,
    }
    return Plan(id=plan_id, **facts | more)


def lock(number: int = 7, target: Target = PROD, **more: Any) -> Lock:
    return Lock(target=target, actor=BOB, created_at=NOW, pull=number, **more)


def waiter(number: int, target: Target = PROD, since: datetime = NOW) -> Waiter:
    return Waiter(target, number, ANN, since)


def release(release_id: str, target: Target = PROD) -> Release:
    return Release(release_id, target, "r1", "digest", "c1", 7, ANN, 4, NOW)


def surface(surface_id: str = "status:acme/infra#7", **more: Any) -> Surface:
    facts: dict[str, Any] = {
        "kind": "status",
        "subject": "s",
        "repository": "acme/infra",
        "pull": 7,
        "due_at": NOW,
    }
    return Surface(id=surface_id, **facts | more)


def delivery(delivery_id: str = "d1", **more: Any) -> Delivery:
    facts: dict[str, Any] = {
        "platform": "github",
        "event": "issue_comment",
        "conversation": "acme/infra#7",
        "body": b'{"text": "hunter2-hunter2\n"}\x00\xff',
        "received_at": NOW,
        "headers": {"X-GitHub-Event": "issue_comment"},
    }
    return Delivery(id=delivery_id, **facts | more)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(number)` returned in each of `count` threads that began together."""
    gate = threading.Barrier(count)
    results: list[Any] = []

    def one(number: int) -> None:
        gate.wait()
        try:
            results.append(work(number))
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
