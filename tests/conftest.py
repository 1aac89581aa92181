"""Fixtures for all tests."""

from __future__ import annotations

pytest_plugins = ["tests.leftout", "tests.fixtures.storage", "tests.fixtures.world"]
