"""A story with a production environment: what staging verified goes there, with consent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.audit.verification import verify
from bot.domain.approvals import Approval
from bot.domain.audit import Entry
from bot.domain.release import Release
from bot.domain.run import Run
from bot.playground.slack.model import Message
from bot.playground.world import World, until
from bot.storage.engines import open_engine
from bot.storage.tables import approvals, plans
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, Story

POLICY = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[env.staging]
STAGING
[env.prod]
promote_from = "staging"
PROD
"""
APPROVALS = 'approvals = { count = 1, expires = "1h" }\nforce = { users = ["carol"] }'
CHANNEL = "#infra"
CHECK = """#!/bin/sh
echo checked >> '{directory}/checks'
while [ -e '{directory}/smoke' ]; do sleep 0.05; done
test ! -e '{directory}/sick'
"""


class Production(Story):
    """staging: lines of its policy; prod: of prod's. `smoke` gives staging a check that is tried for
    so long, and can be held and made to fail (`holds.hold("smoke")`, `holds.hold("sick")`). repository: a name of its own for each story in one world."""

    def __init__(
        self,
        world: World,
        holds: Holds,
        *,
        prod: str = APPROVALS,
        staging: str = "",
        smoke: str = "",
        repository: str = "acme/prod",
        files: dict[str, bytes] | None = None,
    ) -> None:
        script = holds.directory / "check"
        if smoke:
            script.write_text(CHECK.format(directory=holds.directory))
            staging += (
                f'smoke = [{{ command = "/bin/sh \'{script}\'", within = "{smoke}", timeout = "60s" }}]\n'
            )
        self.policy = POLICY.replace("STAGING", staging).replace("PROD", prod)
        more = {
            "envs/environments.toml": self.policy.encode(),
            "envs/prod.tfvars": b'env = "prod"\n',
            ".github/CODEOWNERS": b"infra/ @bob\nenvs/ @carol\n",
        }
        self.consented = "count = 0" not in prod
        super().__init__(world, repository, FILES | more | (files or {}), holds=holds)

    # what people do

    def promoted(self, change: Any = "large", *, author: str = "ann") -> int:
        """A pull request that staging has, verified."""
        number = self.propose(change, author=author)
        self.planned(number)
        self.on_staging(number, author)
        return number

    def on_staging(self, number: int, author: str = "ann") -> None:
        self.reacted(number, self.say(number, "/apply staging", author), "rocket")
        assert self.released("staging").verified

    def is_held_up(self) -> None:
        """Another repository's apply takes the only slot (TOWPATH_SLOTS=1), until `holds.release("apply")`."""
        busy = Story(self.world, holds=self.holds)
        number = busy.propose()
        until(lambda: busy.plan_is_fresh(number), what="its plan")
        before = len(self.holds.calls("apply"))
        self.holds.hold("apply")
        busy.say(number, "/apply staging")
        self.holds.await_call("apply", before + 1)

    def on_staging_again(self, number: int) -> None:
        """Planned anew first."""
        self.reacted(number, self.say(number, "/plan staging"), "+1")
        self.planned(number)
        self.on_staging(number)

    def planned(self, number: int, environment: str = "staging") -> str:
        """Until there is a plan of the head; whether it may be applied is told elsewhere."""
        until(lambda: self.plan_is_fresh(number, environment), what=f"a fresh plan for {environment}")
        return ""

    def asks(self, number: int, how: str = "", author: str = "ann") -> Approval:
        """`/apply prod`: the request for consent, once it is open and its plan is shown."""
        before = self.approval(number)
        self.say(number, f"/apply prod {how}".strip(), author)
        asked = until(
            lambda: (
                now
                if (now := self.approval(number))
                and now.status == "open"
                and (before is None or now.id != before.id or now.when_approved != before.when_approved)
                else None
            ),
            what=f"an open approval: {self.answers(number)}",
        )
        self.shown(asked.run_id)
        return asked

    def refused(self, number: int, text: str, *parts: str, author: str = "ann") -> str:
        """A command that is refused, with these words in its answer."""
        before = len(self.answers(number))
        self.reacted(number, self.say(number, text, author), "-1")
        return self.hears(number, before, *parts)

    def accepted(self, number: int, text: str, *parts: str, author: str = "bob") -> str:
        """A command that is done, with these words in its answer."""
        before = len(self.answers(number))
        self.reacted(number, self.say(number, text, author), "+1")
        return self.hears(number, before, *parts)

    def hears(self, number: int, before: int, *parts: str) -> str:
        """An answer after the first `before` ones that has all these words."""

        def look() -> str:
            return next((one for one in self.answers(number)[before:] if all(p in one for p in parts)), "")

        try:
            return until(look, what=str(parts), patience=20)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.answers(number)[before:]}\n{self.world.bot.tail(30)}"
            ) from None

    def goes(self, number: int, author: str = "ann", how: str = "") -> Run:
        """`/apply prod`, up to its good end."""
        self.reacted(number, self.say(number, f"/apply prod {how}".strip(), author), "rocket")
        return self.on_prod()[-1]

    def review(self, number: int, author: str, word: Any = "APPROVED", commit: str = "") -> int:
        body = "" if word == "APPROVED" else "not like this"
        return self.github.review(
            self.repository, number, author=author, state=word, body=body, commit=commit
        )

    def branch(self, number: int) -> str:
        pull = self.github.state.pull(self.github.state.repo(self.repository), number)
        return pull.head_ref

    def asked_in_slack(self, number: int) -> Message:
        """The channel's message with its buttons."""

        def look() -> Message | None:
            every = [one for one in self.world.slack.messages(CHANNEL) if one.button("modal:approve")]
            return next((one for one in every if f"{self.repository}/pull/{number}" in str(one.blocks)), None)

        found = until(look, what="the message that asks")
        assert found is not None
        return found

    # what the bot keeps

    def approval(self, number: int) -> Approval | None:
        with self.tables() as tables:
            return tables.approvals.newest(self.target("prod"), number)

    def approvals(self, number: int) -> list[Approval]:
        """Oldest first."""
        with self.tables() as tables:
            return tables.approvals.of_pull(self.repository, number)[::-1]

    def decisions(self, number: int) -> list[tuple[str, str]]:
        """(login, answer) of the newest approval, in the order of their coming in."""
        now = self.approval(number)
        with self.tables() as tables:
            return [(one.login, one.answer) for one in tables.approvals.decisions(now.id)] if now else []

    def decisions_of(self, approval: Approval) -> list[str]:
        with self.tables() as tables:
            return [one.login for one in tables.approvals.decisions(approval.id)]

    def refused_or_asked(self, number: int, text: str) -> None:
        """An apply that its consent does not suffice for: it asks again, or is refused; nothing of it is queued."""
        runs = len(self.runs("apply", number))
        comment = self.say(number, text)
        until(lambda: self.reactions(number, comment) & {"+1", "-1"}, what="an answer")
        assert len(self.runs("apply", number)) == runs

    def passed_a_second(self) -> bool:
        """Whether GitHub's clock, which tells whole seconds, is past the newest plan and the newest end of an approval."""
        with self.tables() as tables:
            made = [
                plan.published_at or plan.created_at
                for run in self.runs("plan")
                if (plan := tables.plans.get(run.id))
            ]
            pulls = {run.pull for run in self.runs()}
            every = [one for pull in pulls for one in tables.approvals.of_pull(self.repository, pull)]
        made += [one.ended_at for one in every if one.ended_at is not None]
        return not made or self.github.state.now().timestamp() >= max(made).timestamp() + 1

    def decided(self, number: int, *words: tuple[str, str]) -> None:
        until(
            lambda: self.decisions(number) == list(words),
            what=f"{words}; there is {self.decisions(number)} {self.answers(number)[-2:]}",
        )

    def over(self, number: int, status: str, why: str = "") -> Approval:
        """The newest approval, once it ended so."""

        def look() -> Approval | None:
            now = self.approval(number)
            return now if now is not None and now.status == status and why in now.why else None

        try:
            return until(look, what=f"an approval that is {status}", patience=30)  # type: ignore[return-value]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.approval(number)}\n{self.answers(number)}") from None

    def change(self, approval: Approval, **values: Any) -> None:
        """Let an approval be older than it is, so that nobody has to wait for it."""
        with self.engine() as engine, engine.begin() as connection:
            statement = approvals.update().where(approvals.c.id == approval.id).values(values)
            assert connection.execute(statement).rowcount == 1

    def change_plan(self, number: int, **values: Any) -> None:
        """The same for prod's newest plan."""
        with self.tables() as tables:
            plan = tables.plans.newest(self.target("prod"), number)
        with self.engine() as engine, engine.begin() as connection:
            assert plan is not None
            assert (
                connection.execute(plans.update().where(plans.c.id == plan.id).values(values)).rowcount == 1
            )

    def expire(self, approval: Approval) -> None:
        self.change(approval, expires_at=datetime(2020, 1, 1, tzinfo=UTC))

    def engine(self) -> Any:
        return _Engine(self.world)

    def released(self, environment: str) -> Release:
        with self.tables() as tables:
            release = tables.releases.newest(self.target(environment))
        assert release is not None
        return release

    def on_prod(self, number: int = 0) -> list[Run]:
        """Applies that ended well there, oldest first."""
        runs = self.runs("apply", number)
        return [run for run in runs if run.target.environment == "prod" and run.outcome == "applied"]

    def awaits_prod(self, count: int = 1, number: int = 0) -> Run:
        """The newest apply there, once there were so many good ones."""
        try:
            until(lambda: len(self.on_prod(number)) == count, what=f"{count} applies to prod", patience=40)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.runs()[-2:]}\n{self.answers(number or 1)}\n{self.world.bot.tail(30)}"
            ) from None
        return self.on_prod(number)[-1]

    def audit(self, action: str = "") -> list[Entry]:
        """The record, whole and unbroken, of this repository's `action`."""
        with self.tables() as tables:
            entries = list(tables.audit.entries())
        assert verify(entries).ok
        mine = [one for one in entries if one.repository == self.repository]
        return [one for one in mine if action in ("", one.action)]

    def is_sound(self) -> None:
        """Besides: no approval was used twice, each apply to prod had one or was forced, and all of it is recorded."""
        super().is_sound()
        applied = self.on_prod()
        used = [run.approval for run in applied if not run.forced]
        if self.consented:
            assert all(used)
            assert len(set(used)) == len(used)
        assert len(self.holds.calls("apply")) >= len(applied)
        begun = [*self.audit("apply.started"), *self.audit("apply.forced")]
        ours = [one for one in begun if one.target == self.target("prod").key]
        assert {run.id for run in applied} <= {one.run_id for one in ours}
        for one in ours:
            assert {gate["gate"] for gate in one.facts["gates"]} >= {
                "PlanWasRead",
                "NotClaimed",
                "Promoted",
                "NotFrozen",
                "Approved",
            }
            assert all(gate["passed"] for gate in one.facts["gates"])
        with self.tables() as tables:
            for run in applied:
                approval = tables.approvals.get(run.approval)
                assert (
                    run.forced or not self.consented or (approval is not None and approval.status == "used")
                )


class _Engine:
    """The bot's database, to write into."""

    def __init__(self, world: World) -> None:
        environment = world.environment()
        url = environment["TOWPATH_DATABASE_URL"] or f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
        self._engine = open_engine(url)

    def __enter__(self) -> sa.Engine:
        return self._engine

    def __exit__(self, *_error: object) -> None:
        self._engine.dispose()


def other(size: str, more: str = "") -> dict[str, str | bytes | None]:
    """Files of a change that has another size, and more in its configuration."""
    return {"infra/main.tf": MAIN.replace("SIZE", size) + more}


def at_once(*acts: Callable[[], Any]) -> None:
    """Do all of it in the same moment."""
    gate, failed = threading.Barrier(len(acts)), list[Exception]()

    def run(act: Callable[[], Any]) -> None:
        gate.wait()
        try:
            act()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
