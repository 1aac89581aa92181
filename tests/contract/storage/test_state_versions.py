"""State versions at rest: small, whole, and damaged, on both databases."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy import Engine, func, select, text

from bot.domain.states.model import StateDamaged, StateInfo, StateVersion
from bot.storage import state_data
from bot.storage.database import Database
from bot.storage.deltas import decode_delta, encode_delta
from bot.storage.inbox import DeliveryRows
from bot.storage.reseal import reseal
from bot.storage.state_data import MAX_CHAIN
from bot.storage.tables import state_deltas, state_files, states
from bot.vault import Vault
from tests.contract.state_store import A, append, state
from tests.fixtures.storage import KEY

OTHER = "another-key-for-tests-and-nothing-else"


def large(serial: int, size: int = 3000, salt: int = 0) -> bytes:
    """A state of `size` outputs, one percent of them other ones with each serial."""
    known = [random.Random(f"{salt}{index}").randbytes(12).hex() for index in range(size)]
    for step in range(serial):
        chance = random.Random(f"{salt}-{step}")
        for index in chance.sample(range(size), size // 100):
            known[index] = chance.randbytes(12).hex()
    return state(serial, outputs={f"o{index}": {"value": value} for index, value in enumerate(known)})


def write(store: Database, count: int, start: int = 1) -> list[StateVersion]:
    return [append(store, large(number)) for number in range(start, start + count)]


def sizes(store: Database) -> tuple[int, int]:
    """(full copies, differences)"""
    with store.engine.connect() as connection:
        return (
            connection.execute(select(func.count()).select_from(state_files)).scalar_one(),
            connection.execute(select(func.count()).select_from(state_deltas)).scalar_one(),
        )


def test_a_difference_is_small_and_gives_the_same_bytes() -> None:
    before, after = large(1), large(2)
    delta = encode_delta(after, before)
    assert decode_delta(delta, before) == after
    assert len(delta) < len(after) / 20
    assert decode_delta(encode_delta(b"", before), before) == b""
    assert decode_delta(encode_delta(after, b""), b"") == after
    with pytest.raises(ValueError, match=r"\w"):
        decode_delta(b"no difference", before)


def test_a_stretch_begins_with_a_full_copy(store: Database) -> None:
    write(store, 2 * MAX_CHAIN + 1)
    assert sizes(store) == (3, 2 * MAX_CHAIN - 2)


def test_what_differs_in_most_is_kept_whole(store: Database) -> None:
    for number in range(1, 4):
        append(store, large(number, salt=number))
    assert sizes(store) == (3, 0)


def test_after_an_end_a_full_copy_comes_first(store: Database) -> None:
    write(store, 2)
    with store.begin() as tables:
        tables.states.end(A)
    append(store, large(1, salt=0))
    assert sizes(store) == (2, 1)


def test_large_states_are_kept_whole(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_data, "MAX_DELTA_STATE", len(large(1)) - 1)
    write(store, 3)
    assert sizes(store) == (3, 0)


def test_stretches_of_larger_states_are_shorter(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_data, "MAX_DECODED", 3 * len(large(1)) + 1000)
    versions = write(store, 7)
    assert sizes(store) == (3, 4)
    with store.read() as tables:
        assert [tables.states.data(version.id) for version in versions] == [large(n) for n in range(1, 8)]


def test_a_state_of_a_hundred_megabytes(sqlite_url: str, vault: Vault) -> None:
    store = Database(sqlite_url, vault)
    head = json.dumps({"version": 4, "serial": 1, "lineage": "one", "outputs": {}, "x": "y" * 100_000_000})
    for serial in (1, 2):
        data = head.replace('"serial": 1', f'"serial": {serial}').encode()
        version = append(store, data)
    with store.read() as tables:
        assert tables.states.data(version.id) == data
    store.close()


def spoil(store: Database, number: int, content: bytes | None = None) -> None:
    """Change the bytes of difference `number` of the first stretch (0: those of the full copy)."""
    with store.begin() as tables:
        table = state_deltas if number else state_files
        first = select(states.c.id).order_by(states.c.seq).offset(number).limit(1).scalar_subquery()
        here = table.c.state_id == first
        if content is None:
            old = tables.connection.execute(select(table.c.file).where(here)).scalar_one()
            content = old[:-1] + bytes([old[-1] ^ 1])
        tables.connection.execute(table.update().where(here).values(file=content))


@pytest.mark.parametrize("number", [0, 1, 5])
def test_damage_costs_the_rest_of_its_stretch_alone(store: Database, number: int) -> None:
    versions = write(store, MAX_CHAIN + 3)
    spoil(store, number)
    lost = versions[number:MAX_CHAIN]
    with store.read() as tables:
        assert tables.states.damaged(versions) == {version.id for version in lost}
        for index, version in enumerate(versions):
            if version in lost:
                with pytest.raises(StateDamaged, match=f"serial {version.serial} of dev .*damaged") as told:
                    tables.states.data(version.id)
                assert told.value.version == version
                assert version.id[:8] in str(told.value)
            else:
                assert tables.states.data(version.id) == large(index + 1)


def test_a_missing_difference_is_damage(store: Database) -> None:
    versions = write(store, 5)
    with store.begin() as tables:
        gone = state_deltas.c.state_id == versions[2].id
        tables.connection.execute(state_deltas.delete().where(gone))
    with store.read() as tables:
        assert tables.states.damaged(versions) == {version.id for version in versions[2:]} - {
            versions[2].id
        } | {versions[2].id}
        with pytest.raises(StateDamaged, match="missing"):
            tables.states.data(versions[4].id)


def test_another_content_under_a_good_seal_is_found_by_its_digest(store: Database) -> None:
    versions = write(store, 2)
    from bot.storage.rows import context

    with store.begin() as tables:
        other = store.vault.seal(large(9), context(state_files, versions[0].id))
        tables.connection.execute(state_files.update().values(file=other))
    with store.read() as tables:
        with pytest.raises(StateDamaged, match="digest"):
            tables.states.data(versions[0].id)
        assert tables.states.damaged(versions) == {version.id for version in versions}


def test_a_write_after_damage_can_be_read(store: Database) -> None:
    write(store, 3)
    spoil(store, 1)
    with store.read() as tables, pytest.raises(StateDamaged):
        tables.states.current(A)
    append(store, large(4))
    append(store, large(5))
    with store.read() as tables:
        found = tables.states.current(A)
        assert found is not None
        assert found[1] == large(5)
        versions = tables.states.versions(A, 9)
        assert tables.states.damaged(versions) == {version.id for version in versions[2:4]}


def test_another_key_opens_them_all_after_resealing(store: Database, inbox: DeliveryRows) -> None:
    write(store, 6)
    both = Database(store.engine.url.render_as_string(hide_password=False), Vault(f"{OTHER},{KEY}"))
    both.check_key()
    assert reseal(both, inbox) >= 6
    both.close()
    new = Database(store.engine.url.render_as_string(hide_password=False), Vault(OTHER))
    with new.read() as tables:
        versions = tables.states.versions(A, 9)
        assert [tables.states.data(version.id) for version in versions] == [large(n) for n in range(6, 0, -1)]
    new.close()


def test_full_copies_of_the_version_before_stay_readable(store: Database) -> None:
    """What was written before differences were known: a row of `states` with the old columns, and a full copy."""
    data = large(1)
    info = StateInfo.parse(data)
    with store.begin() as tables:
        tables.connection.execute(
            text(
                "INSERT INTO states (id, target_key, serial, lineage, sha256, size, resources, run_id, "
                "\"commit\", actor, created_at) VALUES (:id, :key, 1, 'one', :sha256, :size, 0, '', '', "
                "'', CURRENT_TIMESTAMP)"
            ),
            {"id": "old", "key": A, "sha256": info.sha256, "size": info.size},
        )
        sealed = store.vault.seal(data, "state_files/old")
        tables.connection.execute(state_files.insert().values(state_id="old", file=sealed))
        tables.connection.execute(
            text("INSERT INTO state_heads (target_key, state_id) VALUES (:key, 'old')"), {"key": A}
        )
    append(store, large(2))
    assert sizes(store) == (1, 1)
    with store.read() as tables:
        new, old = tables.states.versions(A, 9)
        assert (tables.states.data(old.id), tables.states.data(new.id)) == (data, large(2))
        assert (old.outputs, old.release, old.reverts) == (0, "", "")


def test_rows_survive_the_migration(empty_database_url: str, vault: Vault) -> None:
    from alembic import command

    from bot.storage.engines import open_engine
    from bot.storage.migrate import alembic_config, migrate

    engine: Engine = open_engine(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0004")
        data = large(1)
        row = {"id": "old", "key": A, "sha256": StateInfo.parse(data).sha256, "size": len(data)}
        connection.execute(
            text(
                "INSERT INTO states (id, target_key, serial, lineage, sha256, size, resources, run_id, "
                "\"commit\", actor, created_at) VALUES (:id, :key, 1, 'one', :sha256, :size, 0, '', '', "
                "'', CURRENT_TIMESTAMP)"
            ),
            row,
        )
        connection.execute(
            text("INSERT INTO state_files (state_id, file) VALUES ('old', :file)"),
            {"file": vault.seal(data, "state_files/old")},
        )
    migrate(engine)
    engine.dispose()
    store = Database(empty_database_url, vault)
    with store.read() as tables:
        assert tables.states.data("old") == data
    store.close()
