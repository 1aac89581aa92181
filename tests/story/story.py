"""One story: a repository, what people do there, what they see, and what the bot keeps of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import Target
from bot.playground.world import REPOSITORY, ROLES, World, until
from bot.storage.database import Database
from bot.vault import Vault
from tests.story.holds import Holds
from tests.story.shared import SharedWorld

MAIN = """variable "env" {
  default = "none"
}
resource "terraform_data" "web" {
  input = "${var.env} SIZE"
}
"""
POLICY = """[stack.infra]
root = "infra"
[env.staging]
"""
FILES: dict[str, bytes] = {
    "infra/main.tf": MAIN.replace("SIZE", "small").encode(),
    "envs/staging.tfvars": b'env = "staging"\n',
    "envs/environments.toml": POLICY.encode(),
}
"""One stack with one built-in resource, so that a plan needs no provider."""


class Story:
    """`files` is what its repository begins with. A world of the story's own has REPOSITORY already; in a shared one,
    other stories may have taken the name, and this one's has a number behind it."""

    def __init__(
        self,
        world: World,
        repository: str = REPOSITORY,
        files: Mapping[str, bytes] = FILES,
        *,
        holds: Holds,
        bot: str = "towpath[bot]",
    ) -> None:
        shared = isinstance(world, SharedWorld)
        name = world.vacant(repository) if shared else repository
        self.world, self.github, self.repository = world, world.github, name.lower()
        self.holds, self.bot = holds, bot
        self._branches = itertools.count(1)
        self._known: dict[int, list[str]] = {}
        if shared or name != REPOSITORY:
            self.github.create_repo(name, files, private=True, roles=ROLES)

    # what people do

    def propose(
        self,
        change: str | Mapping[str, str | bytes | None] = "large",
        *,
        author: str = "ann",
        title: str = "",
    ) -> int:
        """A pull request that gives the one resource another size, or changes files; returns its number."""
        branch = f"{author}/change-{next(self._branches)}"
        self.push(change, branch, author=author)
        return self.github.open_pull(
            self.repository, author=author, head=branch, title=title or f"{author}'s change"
        )

    def push(
        self, change: str | Mapping[str, str | bytes | None], branch: str, *, author: str = "ann"
    ) -> str:
        """A commit on a branch; returns its id."""
        files = {"infra/main.tf": MAIN.replace("SIZE", change)} if isinstance(change, str) else change
        return self.github.commit_files(
            self.repository, branch, files, author=author, message=f"{author}'s change"
        )

    def say(self, number: int, text: str, author: str = "ann") -> int:
        """A comment; returns its id."""
        self._known[number] = self.answers(number)
        return self.github.comment(self.repository, number, author=author, body=text)

    # what people see

    def comments(self, number: int) -> list[dict[str, Any]]:
        """The bot's comments, oldest first."""
        return [entry for entry in self.entries(number, "comment") if entry["actor"] == self.bot]

    def status(self, number: int) -> str:
        """The status comment's text, or nothing."""
        mark = self._mark(number)
        found = [entry["body"] for entry in self.comments(number) if mark in entry["body"]]
        assert len(found) <= 1, "there is more than one status comment"
        return found[0] if found else ""

    def answers(self, number: int) -> list[str]:
        """The bot's other comments, without the invisible letters that keep names from being links."""
        bodies = [entry["body"].replace("&#8203;", "") for entry in self.comments(number)]
        return [body for body in bodies if self._mark(number) not in body]

    def _mark(self, number: int) -> str:
        return hashlib.sha256(f"status:{self.repository}#{number}".encode()).hexdigest()[:16]

    def reactions(self, number: int, comment: int) -> set[str]:
        """The bot's reactions to a comment."""
        for entry in self.entries(number, "comment"):
            if entry["id"] == comment:
                return {word for word, who in entry["reactions"].items() if self.bot in who}
        return set()

    def entries(self, number: int, kind: str) -> list[dict[str, Any]]:
        """Entries of the pull request's timeline of one kind."""
        return [one for one in self.github.timeline(self.repository, number) if one["kind"] == kind]

    def sees(self, number: int, text: str, patience: float = 60.0) -> str:
        """The status comment once `text` stands in it."""
        try:
            return until(
                lambda: found if text in (found := self.status(number)) else "",
                what=f"{text!r} in the status comment",
                patience=patience,
            )
        except AssertionError as error:
            seen = f"{self.status(number)}\n{self.runs()[-2:]}\n{self.world.bot.tail(30)}"
            raise AssertionError(f"{error}\n{seen}") from None

    def is_told(
        self, number: int, text: str, patience: float = 60.0, *, since: Sequence[str] | None = None
    ) -> str:
        """An answer with `text` in it, once there is one that came (or was changed) after the last thing said there.

        since: what `answers` was at another time after which it must have come.
        """
        known = self._known.get(number, []) if since is None else since

        def look() -> str:
            now = self.answers(number)
            new = [*(body for body, was in zip(now, known, strict=False) if body != was), *now[len(known) :]]
            return next((body for body in new if text in body), "")

        return until(look, what=f"{text!r} after {known} in {self.answers(number)}", patience=patience)

    def planned(self, number: int, environment: str = "staging") -> str:
        """The status comment once the plan of the head, and no other, can be applied."""
        until(lambda: self.plan_is_fresh(number, environment), what=f"a fresh plan for {environment}")
        return self.sees(number, f"`/apply {environment}`")

    def reacted(self, number: int, comment: int, reaction: str) -> None:
        """Until this is the bot's reaction."""
        try:
            until(lambda: self.reactions(number, comment) == {reaction}, what=f"{reaction} at the comment")
        except AssertionError as error:
            seen = (self.reactions(number, comment), self.answers(number), self.status(number))
            raise AssertionError(f"{error}\n{seen}\n{self.runs()}\n{self.world.bot.tail()}") from None

    def applied(self, number: int, environment: str = "staging") -> None:
        """`/apply`, up to its good end."""
        self.reacted(number, self.say(number, f"/apply {environment}"), "rocket")
        self.sees(number, "applied")

    # what the bot keeps

    def target(self, environment: str = "staging", instance: str = "") -> Target:
        return Target(self.repository, "infra", environment, instance)

    @contextmanager
    def tables(self) -> Iterator[Tables]:
        """The bot's database, to read."""
        if isinstance(self.world, SharedWorld):
            with self.world.database.read() as tables:
                yield tables
            return
        environment = self.world.environment()
        url = environment["TOWPATH_DATABASE_URL"] or f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
        database = Database(url, Vault(environment["TOWPATH_SECRET_KEY"]))
        try:
            with database.read() as tables:
                yield tables
        finally:
            database.close()

    def actions(self) -> set[str]:
        """What the record tells of the repository."""
        with self.tables() as tables:
            return {one.action for one in tables.audit.entries() if one.repository == self.repository}

    def head(self, number: int) -> str:
        """The commit that the pull request is at."""
        return self.github.state.pull(self.github.state.repo(self.repository), number).head_sha

    def plan_is_fresh(self, number: int, environment: str = "staging") -> bool:
        """Whether the newest plan is of the head and shown, and no other one is being made."""
        with self.tables() as tables:
            plan = tables.plans.newest(self.target(environment), number)
        if plan is None or plan.published_at is None or any(run.active for run in self.runs("plan", number)):
            return False
        return (plan.status, plan.commit) == ("fresh", self.head(number))

    def runs(self, kind: str = "", number: int = 0) -> list[Run]:
        """All runs of the repository, oldest first; of one kind or pull request."""
        with self.tables() as tables:
            found = tables.runs.recent(self.repository, 1000)[::-1]
        return [run for run in found if kind in ("", run.kind) and number in (0, run.pull)]

    def awaits(self, kind: str, *phases: str) -> Run:
        """The newest run of a kind, once it is in one of these phases."""
        return until(
            lambda: next((run for run in self.runs(kind)[-1:] if run.phase in phases), None),
            what=f"a {kind} that is {' or '.join(phases)}",
            every=0.01,
        )

    def ended(self, kind: str, *outcomes: str) -> Run:
        """The newest run of a kind, once it ended; it must have ended so. A plan that was made is shown, too."""
        run = self.awaits(kind, "finished")
        assert run.outcome in outcomes, (run.outcome, run.message, run.reference, self.world.bot.tail(30))
        if run.outcome == "planned":
            self.shown(run.id)
        return run

    def shown(self, run_id: str) -> None:
        """Until people can see a plan."""

        def look() -> bool:
            with self.tables() as tables:
                plan = tables.plans.get(run_id)
            return plan is not None and plan.published_at is not None

        until(look, what="a plan that is shown")

    def is_sound(self) -> None:
        """Nothing applied twice, nothing lost, no lock without an owner, once all work has ended."""
        until(
            lambda: all(not run.active for run in self.runs()),
            what="the end of all runs",
        )
        with self.tables() as tables:
            runs = self.runs()
            for lock in tables.locks.all(self.repository):
                owner = tables.pulls.get(self.repository, lock.pull) if lock.pull else None
                assert lock.pull == 0 or (owner is not None and owner.state == "open"), lock
            applied = [run for run in runs if run.outcome == "applied"]
            assert len({run.plan_id for run in applied}) == len(applied), "a plan was applied twice"
            for statement in ("SELECT * FROM state_locks", "SELECT * FROM credentials"):
                rows = tables.connection.execute(sa.text(statement)).all()
                ours = [row for row in rows if row.target_key.startswith(f"{self.repository}:")]
                assert not ours, f"{statement}: {ours}"
