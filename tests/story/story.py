"""One story: a repository, what people do there, what they see, and what the bot keeps of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import Target
from bot.playground.world import REPOSITORY, ROLES, World, until
from bot.storage.crypto import Vault
from bot.storage.database import Database
from tests.story.holds import Holds

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
    """`files` is what its repository begins with; the world's own repository is there already."""

    def __init__(
        self,
        world: World,
        repository: str = REPOSITORY,
        files: Mapping[str, bytes] = FILES,
        *,
        holds: Holds,
        bot: str = "towpath[bot]",
    ) -> None:
        self.world, self.github, self.repository = world, world.github, repository.lower()
        self.holds, self.bot = holds, bot
        self._branches = itertools.count(1)
        if repository != REPOSITORY:
            self.github.create_repo(repository, files, private=True, roles=ROLES)

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
        return until(
            lambda: self.status(number) if text in self.status(number) else "",
            what=f"{text!r} in the status comment\n{self.status(number)}",
            patience=patience,
        )

    def is_told(self, number: int, text: str, patience: float = 60.0) -> str:
        """An answer with `text` in it, once there is one."""
        return until(
            lambda: next((body for body in self.answers(number) if text in body), ""),
            what=f"{text!r} in {self.answers(number)}",
            patience=patience,
        )

    def planned(self, number: int, environment: str = "staging") -> str:
        """The status comment once the plan of the head can be applied."""
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
        environment = self.world.environment()
        url = environment["TOWPATH_DATABASE_URL"] or f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
        database = Database(url, Vault(environment["TOWPATH_SECRET_KEY"]))
        try:
            with database.read() as tables:
                yield tables
        finally:
            database.close()

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
        """The newest run of a kind, once it ended; it must have ended so."""
        run = self.awaits(kind, "finished")
        assert run.outcome in outcomes, (run.outcome, run.message, run.reference, self.world.bot.tail(30))
        return run

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
