"""The store in memory keeps the contract, so that tests may stand on it."""

from __future__ import annotations

import pytest
from hypothesis import settings

from bot.domain.ports.state import States
from tests.contract.state_store import MemoryStates, StateStoreContract, StateStoreMachine


class TestMemoryStates(StateStoreContract):
    @pytest.fixture
    def states(self) -> States:
        return MemoryStates()


class _Machine(StateStoreMachine):
    def make(self) -> States:
        return MemoryStates()


TestMachine = _Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)  # 1,200 operations
