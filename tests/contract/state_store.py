"""What every state store and credential store must do, and a store in memory that does it.

A store's own tests subclass `StateStoreContract` and `StateStoreMachine` with a `states` of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.domain.ports.state import Author, CredentialStore, Grant, States, StateStore, StateTables
from bot.domain.states.model import LockInfo, StateDamaged, StateInfo, StateRefused, StateVersion, follows
from bot.domain.target import Target

A, B = "acme/infra:infra:dev", "acme/infra:infra:staging"


def state(serial: int, lineage: str = "one", **more: Any) -> bytes:
    """A state's bytes; `more` makes another content."""
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {},
    }
    return json.dumps({**document, "resources": [], **more}).encode()


@dataclass
class _Row:
    version: StateVersion
    data: bytes


@dataclass
class MemoryStates:
    """A store in memory; one transaction at a time, rolled back on an exception."""

    rows: list[_Row] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    held: dict[str, tuple[LockInfo, str]] = field(default_factory=dict)
    kept: dict[str, tuple[str, Grant]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states: StateStore = self
        self.credentials: CredentialStore = self
        self._turn = threading.RLock()

    @contextmanager
    def begin(self) -> Iterator[StateTables]:
        with self._turn:
            before = (list(self.rows), dict(self.ended), dict(self.held), dict(self.kept))
            try:
                yield self
            except BaseException:
                self.rows, self.ended, self.held, self.kept = before
                raise

    read = begin

    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        rows = [row for row in self.rows if row.version.target_key == target_key]
        if len(rows) <= self.ended.get(target_key, 0):
            return None
        return rows[-1].version, rows[-1].data

    def newest(self, target_key: str) -> StateVersion | None:
        found = self.current(target_key)
        return found[0] if found else None

    def newest_instance(self, environment: Target) -> StateVersion | None:
        keys = {row.version.target_key for row in self.rows}
        found = [self.newest(key) for key in keys if key.startswith(f"{environment.key}:")]
        order = [row.version for row in self.rows]
        return max((one for one in found if one and one.resources), key=order.index, default=None)

    def append(
        self,
        target_key: str,
        data: bytes,
        info: StateInfo,
        author: Author | None = None,
        *,
        lock_id: str | None = None,
        observed: bool = False,
    ) -> StateVersion:
        self._holds(target_key, lock_id)
        current = self.current(target_key)
        if current and (current[0].sha256 == info.sha256 if observed else not follows(current[0], info)):
            return current[0]
        author = author or Author()
        version = StateVersion(
            id=f"v{len(self.rows) + 1}",
            target_key=target_key,
            serial=info.serial,
            lineage=info.lineage,
            sha256=info.sha256,
            size=info.size,
            resources=info.resources,
            run_id=author.run_id,
            commit=author.commit,
            actor=author.actor,
            created_at=datetime.now(UTC),
            outputs=info.outputs,
            reverts=author.reverts,
        )
        self.rows.append(_Row(version, data))
        return version

    def end(self, target_key: str, *, lock_id: str | None = None) -> None:
        self._holds(target_key, lock_id)
        self.ended[target_key] = sum(row.version.target_key == target_key for row in self.rows)

    def versions(self, target_key: str, limit: int) -> list[StateVersion]:
        return [row.version for row in reversed(self.rows) if row.version.target_key == target_key][:limit]

    def numbered(self, target_key: str, serial: int) -> StateVersion | None:
        return next((one for one in self.versions(target_key, len(self.rows)) if one.serial == serial), None)

    def data(self, version_id: str) -> bytes:
        row = next((row for row in self.rows if row.version.id == version_id), None)
        if row is None:
            raise KeyError(version_id)
        if hashlib.sha256(row.data).hexdigest() != row.version.sha256:
            raise StateDamaged(row.version, "its digest is another")
        return row.data

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        bad = set()
        for version in versions:
            try:
                self.data(version.id)
            except StateDamaged:
                bad.add(version.id)
        return frozenset(bad)

    def released(self, target_key: str, run_id: str, release: str, reverts: str = "") -> None:
        for row in reversed(self.rows):
            if (row.version.target_key, row.version.run_id) == (target_key, run_id):
                row.version = replace(row.version, release=release, reverts=reverts)
                return

    def lock(self, target_key: str, lock: LockInfo, holder: str) -> LockInfo | None:
        present = self.locked(target_key)
        if present and present.id != lock.id:
            return present
        self.held[target_key] = (lock, holder)
        return None

    def unlock(self, target_key: str, lock_id: str | None) -> bool:
        present = self.locked(target_key)
        if present and lock_id not in (None, present.id):
            return False
        self.held.pop(target_key, None)
        return True

    def abandon(self, holder: str) -> None:
        self.held = {key: held for key, held in self.held.items() if held[1] != holder}

    def holds(self, target_key: str, holder: str) -> bool:
        return target_key in self.held and self.held[target_key][1] == holder

    def locked(self, target_key: str) -> LockInfo | None:
        return self.held[target_key][0] if target_key in self.held else None

    def holder(self, target_key: str) -> str:
        return self.held[target_key][1] if target_key in self.held else ""

    def drop(self, username: str) -> None:
        self.kept.pop(username, None)

    def issue(self, username: str, password: str, grant: Grant) -> None:
        self.kept[username] = (hashlib.sha256(password.encode()).hexdigest(), grant)

    def resolve(self, username: str, password: str) -> Grant | None:
        digest, grant = self.kept.get(username, ("", None))
        right = hmac.compare_digest(digest, hashlib.sha256(password.encode()).hexdigest())
        return grant if right else None

    def revoke(self, run_id: str) -> None:
        self.kept = {name: kept for name, kept in self.kept.items() if kept[1].run_id != run_id}

    def forget(self, now: datetime, limit: int) -> int:
        gone = [name for name, (_digest, grant) in self.kept.items() if grant.expires_at <= now][:limit]
        self.kept = {name: kept for name, kept in self.kept.items() if name not in gone}
        return len(gone)

    def _holds(self, target_key: str, lock_id: str | None) -> None:
        present = self.locked(target_key)
        if lock_id is not None and (present is None or present.id != lock_id):
            raise StateRefused(f"the lock {lock_id} is not held")


def append(
    states: States, data: bytes, key: str = A, author: Author | None = None, **options: Any
) -> StateVersion:
    with states.begin() as tables:
        return tables.states.append(key, data, StateInfo.parse(data), author, **options)


class StateStoreContract:
    """Subclass and give a fixture `states`: an empty store."""

    def test_versions_follow_one_another(self, states: States) -> None:
        first = append(states, state(1), author=Author("r1", "c1", "ann"))
        second = append(states, state(5, outputs={"a": {}}))
        assert (first.serial, first.lineage, first.run_id, first.commit, first.actor) == (
            *(1, "one", "r1", "c1"),
            "ann",
        )
        assert first.created_at.utcoffset() == timedelta(0)
        with states.read() as tables:
            assert tables.states.current(A) == (second, state(5, outputs={"a": {}}))
            assert tables.states.current(B) is None
            assert tables.states.versions(A, 10) == [second, first]
            assert tables.states.versions(A, 1) == [second]
            assert tables.states.data(first.id) == state(1)
            with pytest.raises(KeyError):
                tables.states.data("nothing")

    @pytest.mark.parametrize(
        ("data", "why"),
        [(state(4), "serial"), (state(5, outputs={"x": {}}), "serial"), (state(6, "two"), "lineage")],
    )
    def test_refuses_what_may_not_follow(self, states: States, data: bytes, why: str) -> None:
        version = append(states, state(5))
        with pytest.raises(StateRefused, match=why):
            append(states, data)
        assert append(states, state(5)) == version
        with states.read() as tables:
            assert tables.states.versions(A, 10) == [version]

    def test_records_what_another_backend_took(self, states: States) -> None:
        append(states, state(5))
        version = append(states, state(2, "two"), observed=True)
        assert append(states, state(2, "two"), observed=True) == version
        again = append(states, state(5, "three"), observed=True)
        with states.read() as tables:
            assert tables.states.current(A) == (again, state(5, "three"))
            assert tables.states.numbered(A, 5) == again
            assert tables.states.numbered(A, 2) == version

    def test_the_newest_instance_has_resources(self, states: States) -> None:
        """Of those that an environment has now: not one without resources, of another environment, or that was ended."""
        web = [{"mode": "managed", "type": "x", "name": "web", "instances": [{}]}]
        test = Target("acme/infra", "infra", "test")
        append(states, state(1, resources=web), "acme/infra:infra:test:pr-1")
        newest = append(states, state(1, resources=web), "acme/infra:infra:test:pr-2")
        append(states, state(1, resources=web), "acme/infra:infra:test:pr-3")
        for key in ("acme/infra:infra:test", "acme/infra:infra:test-2:pr-9", "acme/infra:infra:ci:pr-9"):
            append(states, state(2, resources=web), key)
        append(states, state(1), "acme/infra:infra:test:pr-4")
        with states.begin() as tables:
            tables.states.end("acme/infra:infra:test:pr-3")
        with states.read() as tables:
            assert tables.states.newest_instance(test) == newest
            assert tables.states.newest_instance(Target("acme/infra", "infra", "dev")) is None

    def test_a_version_says_what_it_belongs_to(self, states: States) -> None:
        first = append(states, state(1, outputs={"a": {}, "b": {}}), author=Author("r1", reverts="old"))
        assert (first.outputs, first.release, first.reverts) == (2, "", "old")
        append(states, state(2), author=Author("r2"))
        last = append(states, state(3), author=Author("r2"))
        append(states, state(1), B, Author("r2"))
        with states.begin() as tables:
            tables.states.released(A, "r2", "release-2", "release-0")
            tables.states.released(A, "r3", "release-3")
        with states.read() as tables:
            told = tables.states.versions(A, 9)
            assert [version.release for version in told] == ["release-2", "", ""]
            assert told[0] == replace(last, release="release-2", reverts="release-0")
            assert [version.release for version in tables.states.versions(B, 9)] == [""]

    def test_many_versions_are_each_as_written(self, states: States) -> None:
        written = [state(number, outputs={"n": {"value": f"{number}" * 50}}) for number in range(1, 121)]
        for data in written:
            append(states, data)
        with states.read() as tables:
            versions = tables.states.versions(A, 1000)
            assert [tables.states.data(version.id) for version in reversed(versions)] == written
            assert tables.states.current(A) == (versions[0], written[-1])
            assert tables.states.damaged(versions) == frozenset()
            assert tables.states.numbered(A, 7) == versions[-7]
            assert tables.states.numbered(A, 121) is tables.states.numbered(B, 7) is None

    def test_an_end_keeps_the_versions(self, states: States) -> None:
        old = append(states, state(5))
        with states.begin() as tables:
            tables.states.end(B)
            tables.states.end(A)
            tables.states.end(A)
            assert tables.states.current(A) is None
        new = append(states, state(1, "two"))
        with states.read() as tables:
            assert tables.states.current(A) == (new, state(1, "two"))
            assert tables.states.versions(A, 9) == [new, old]
            assert tables.states.data(old.id) == state(5)

    def test_a_lock_has_one_holder(self, states: States) -> None:
        ours, theirs = LockInfo("1", who="ann", operation="apply"), LockInfo("2", who="bob")
        with states.begin() as tables:
            assert tables.states.lock(A, ours, "r1") is None
            assert tables.states.lock(A, ours, "r1") is None
            assert tables.states.lock(A, theirs, "r2") == ours
            assert tables.states.lock(B, theirs, "r2") is None
            assert tables.states.locked(A) == ours
            assert not tables.states.unlock(A, "2")
        append(states, state(1), lock_id="1")
        with pytest.raises(StateRefused):
            append(states, state(2), lock_id="2")
        with states.begin() as tables, pytest.raises(StateRefused):
            tables.states.end(A, lock_id="2")
        with states.begin() as tables:
            assert tables.states.unlock(A, "1")
            assert tables.states.unlock(A, "1")
            assert tables.states.locked(A) is None
            assert tables.states.unlock(B, None)
            assert tables.states.lock(B, ours, "r1") is None
        with pytest.raises(StateRefused):
            append(states, state(2), lock_id="1")

    def test_one_of_many_takes_the_lock(self, states: States) -> None:
        def take(number: int) -> None:
            with states.begin() as tables:
                if tables.states.lock(A, LockInfo(str(number)), "r") is None:
                    won.append(number)

        won: list[int] = []
        threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1

    def test_one_of_many_appends(self, states: States) -> None:
        def write(number: int) -> None:
            try:
                won.append(append(states, state(1, outputs={str(number): {}})))
            except StateRefused:
                lost.append(number)

        won: list[StateVersion] = []
        lost: list[int] = []
        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)

    def test_credentials_allow_what_was_granted(self, states: States) -> None:
        grant = Grant(
            A, "r1", write=True, expires_at=datetime(2030, 1, 1, tzinfo=UTC), commit="c", actor="ann"
        )
        with states.begin() as tables:
            tables.credentials.issue("r1", "secret", grant)
            tables.credentials.issue("r2", "other", replace(grant, run_id="r2", write=False))
        with states.begin() as tables:
            assert tables.credentials.resolve("r1", "secret") == grant
            assert tables.credentials.resolve("r1", "other") is None
            assert tables.credentials.resolve("r3", "secret") is None
            tables.credentials.issue("r1", "renewed", grant)
            assert tables.credentials.resolve("r1", "secret") is None
            assert tables.credentials.resolve("r1", "renewed") == grant
            tables.credentials.revoke("r1")
            assert tables.credentials.resolve("r1", "renewed") is None
            assert tables.credentials.resolve("r2", "other") == replace(grant, run_id="r2", write=False)


class StateStoreMachine(RuleBasedStateMachine):
    """Random operations against a plain model. Subclass and give `make`, which returns an empty store."""

    def make(self) -> States:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.states = self.make()
        self.written: dict[str, list[bytes]] = {A: [], B: []}
        self.live: dict[str, bytes | None] = {A: None, B: None}
        self.holder: dict[str, str] = {}

    keys = st.sampled_from([A, B])
    ids = st.sampled_from(["1", "2"])

    @rule(
        key=keys,
        serial=st.integers(0, 6),
        lineage=st.sampled_from(["one", "two"]),
        content=st.integers(0, 1),
        lock_id=st.none() | ids,
    )
    def write(self, key: str, serial: int, lineage: str, content: int, lock_id: str | None) -> None:
        data = state(serial, lineage, content=content)
        live = self.live[key]
        now = json.loads(live) if live else None
        fits = now is None or data == live or (now["lineage"] == lineage and serial > now["serial"])
        if fits and lock_id in (None, self.holder.get(key)):
            append(self.states, data, key, lock_id=lock_id)
            if data != live:
                self.written[key].append(data)
            self.live[key] = data
        else:
            with pytest.raises(StateRefused):
                append(self.states, data, key, lock_id=lock_id)

    @rule(key=keys)
    def end(self, key: str) -> None:
        with self.states.begin() as tables:
            tables.states.end(key)
        self.live[key] = None

    @rule(key=keys, lock_id=ids)
    def lock(self, key: str, lock_id: str) -> None:
        with self.states.begin() as tables:
            present = tables.states.lock(key, LockInfo(lock_id), "r")
        holder = self.holder.setdefault(key, lock_id)
        assert (present.id if present else lock_id) == holder

    @rule(key=keys, lock_id=st.none() | ids)
    def unlock(self, key: str, lock_id: str | None) -> None:
        with self.states.begin() as tables:
            freed = tables.states.unlock(key, lock_id)
        assert freed == (lock_id is None or self.holder.get(key, lock_id) == lock_id)
        if freed:
            self.holder.pop(key, None)

    @invariant()
    def is_as_the_model(self) -> None:
        with self.states.read() as tables:
            for key, written in self.written.items():
                versions = tables.states.versions(key, 1000)
                assert [tables.states.data(version.id) for version in reversed(versions)] == written
                current = tables.states.current(key)
                assert (current[1] if current else None) == self.live[key]
                locked = tables.states.locked(key)
                assert (locked.id if locked else None) == self.holder.get(key)
