"""Fifty clicks a second on approvals' buttons: each answered; and how soon a message in the channel shows a click."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa

from bot.domain.approvals import Approval
from bot.domain.ports.store import Tables
from bot.domain.target import Target
from bot.playground import sample
from bot.playground.slack import Message, payloads
from bot.playground.world import CHANNEL, REPOSITORY, World, until
from bot.services.context import show_approval, utcnow
from bot.storage.database import Database
from bot.vault import Vault
from tests.bench.firing import fire, kept, p99
from tests.bench.report import Figure

RATE = 50
LASTING = 15
SINGLY = 80
"""Approvals that get one click each, one after the other."""
TOGETHER = 30
"""Approvals that share the clicks of the load."""
APPROVERS = ("bob", "carol")
APPROVE = "modal:approve"
POLICY = b"""[stack.infra]
root = "infra"
[env.prod]
approvals = { count = 1, self = false }
"""
_FORM = "application/x-www-form-urlencoded"


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """One real plan is asked for and shown; its run, plan and approval are copied to further pull requests, since what
    is measured begins at the click. From there on all is real: signature, inbox, GitHub asked for the pull request and
    for the role, decision, audit, and each surface that shows it (message, answer, status comment, card).

    Slack's stand-in answers at once here: its rate limits are off, as one after the other would wait for them alone.
    """
    files = sample.files() | {"envs/environments.toml": POLICY}
    with World(directory / "world", database_url=url, files=files) as world:
        world.slack.limits.on = False
        messages = asked(world, SINGLY + TOGETHER)
        singly, together = messages[:SINGLY], messages[SINGLY:]
        return [_one_by_one(world, database, singly), *_at_once(world, database, together)]


def asked(world: World, count: int) -> list[Message]:
    """The messages of so many approvals, each of a pull request of its own."""
    first = world.propose("bigger-web")
    until(lambda: world.status(first), what="the status comment")
    world.say(first, "/apply prod")
    until(lambda: _asking(world), what="the first approval")
    numbers = []
    for turn in range(count):
        branch = f"ann/note-{turn}"  # of no stack: the bot makes no plan for it by itself
        world.github.commit_files(
            REPOSITORY, branch, {f"notes/{turn}.md": b"A note.\n"}, author="ann", message="Note"
        )
        numbers.append(world.github.open_pull(REPOSITORY, author="ann", head=branch, title=f"Note {turn}"))
    target = Target(REPOSITORY, "infra", "prod")
    with _tables(world) as tables:
        approval = tables.approvals.newest(target, first)
        assert approval is not None
    until(lambda: _seen(world, numbers), what="the pull requests", every=0.2)
    with _tables(world) as tables:
        for number in numbers:
            _copy(tables, approval, number)
    until(lambda: len(_asking(world)) > count, what="all messages", every=0.2)
    until(lambda: _settled(world), what="an end of all work", every=0.5)
    return _asking(world)[1:]


def _copy(tables: Tables, approval: Approval, number: int) -> None:
    """The approval, with its run and its plan, as another pull request's."""
    pull = tables.pulls.get(REPOSITORY, number)
    run, plan = tables.runs.get(approval.run_id), tables.plans.get(approval.run_id)
    assert pull is not None
    assert run is not None
    assert plan is not None
    name = f"{approval.run_id[:12]}{number:08d}"
    tables.runs.add(replace(run, id=name, pull=number, commit=pull.head_sha, plan_id=name))
    tables.plans.add(
        replace(plan, id=name, run_id=name, pull=number, commit=pull.head_sha), tables.plans.file(plan.id)
    )
    of_it = replace(approval, id=f"a{name}", run_id=name, pull=number, commit=pull.head_sha)
    tables.approvals.add(of_it)
    show_approval(tables, utcnow(), of_it.id, REPOSITORY, number)


def _one_by_one(world: World, database: str, messages: Sequence[Message]) -> Figure:
    """From the click until the message in the channel names who approved; the next click comes after that."""
    times = []
    for turn, message in enumerate(messages):
        who = APPROVERS[turn % len(APPROVERS)]
        began = time.perf_counter()
        assert world.slack.click(who, CHANNEL, message.ts, APPROVE).ok
        until(lambda message=message, who=who: _names(message, who), what="the message", every=0.002)  # type: ignore[misc]
        times.append(time.perf_counter() - began)
    times.sort()
    said = f"{len(times)} clicks, median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s"
    return Figure("click to message, p99", database, p99(times), 1, "s", said)


def _at_once(world: World, database: str, messages: Sequence[Message]) -> list[Figure]:
    """How long the load's answers took, and how many clicks did not become exactly one decision each."""
    before = kept(world, "slack-"), _decided(world)
    load = []
    for turn in range(RATE * LASTING):
        message = messages[turn % len(messages)]
        element = message.button(APPROVE)
        assert element is not None
        with world.slack.state.lock:
            person = world.slack.state.user(APPROVERS[turn // len(messages) % len(APPROVERS)])
            payload = payloads.click(world.slack.state, person, element, message)
        body = urlencode({"payload": json.dumps(payload)}).encode()
        load.append((world.slack.delivery.sign(body, _FORM), body))
    fired = fire(f"{world.bot.url}/slack/events", load, RATE)
    began = time.perf_counter()
    while _decided(world) - before[1] < len(load) and time.perf_counter() - began < 120:
        time.sleep(0.2)
    waited = time.perf_counter() - began
    have, decided = kept(world, "slack-") - before[0], _decided(world) - before[1]
    return [
        Figure(f"{RATE} clicks/s, p99", database, fired.p99, 100, "ms", fired.said),
        Figure(
            "clicks lost or doubled",
            database,
            abs(len(load) - have) + abs(len(load) - decided) + fired.wrong,
            0,
            "",
            f"{have} kept and {decided} decided of {len(load)}, the last {waited:.0f} s after the load",
        ),
    ]


def _asking(world: World) -> list[Message]:
    """The channel's messages that can be approved, oldest first."""
    return [one for one in world.slack.messages(CHANNEL) if one.button(APPROVE) is not None]


def _names(message: Message, who: str) -> bool:
    """Whether the message was edited, and says that this person approved."""
    return message.edited > 0 and f"{who} in Slack" in json.dumps(message.blocks).replace("*", "")


def _seen(world: World, numbers: Sequence[int]) -> bool:
    """Whether the bot knows all these pull requests."""
    with _tables(world) as tables:
        return all(tables.pulls.get(REPOSITORY, number) is not None for number in numbers)


def _settled(world: World) -> bool:
    """Whether nothing is to be shown any more."""
    with _tables(world) as tables:
        return not tables.connection.scalar(
            sa.text("SELECT count(*) FROM surfaces WHERE due_at IS NOT NULL AND attempts = 0")
        )


def _decided(world: World) -> int:
    with _tables(world) as tables:
        return int(tables.connection.scalar(sa.text("SELECT count(*) FROM decisions")) or 0)


@contextmanager
def _tables(world: World) -> Iterator[Tables]:
    """The bot's database."""
    environment = world.environment()
    url = environment["TOWPATH_DATABASE_URL"] or f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
    database = Database(url, Vault(environment["TOWPATH_SECRET_KEY"]))
    try:
        with database.begin() as tables:
            yield tables
    finally:
        database.close()
