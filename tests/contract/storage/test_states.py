"""The database as a state store, on SQLite and on Postgres."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from bot.domain.ports.state import States
from bot.storage.database import Database
from bot.vault import Vault
from tests.contract.state_store import StateStoreContract, StateStoreMachine
from tests.fixtures.storage import KEY


@pytest.fixture
def states(store: Database) -> States:
    return store


class TestDatabase(StateStoreContract):
    pass


def test_any_order_of_operations(sqlite_url: str) -> None:
    template = Path(sqlite_url.removeprefix("sqlite:///"))

    class Machine(StateStoreMachine):
        def make(self) -> States:
            self.directory = Path(tempfile.mkdtemp())
            copy = shutil.copy(template, self.directory / "towpath.db")
            self.database = Database(f"sqlite:///{copy}", Vault(KEY))
            return self.database

        def teardown(self) -> None:
            self.database.close()
            shutil.rmtree(self.directory)

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=15, stateful_step_count=25, deadline=None, database=None)
    )
