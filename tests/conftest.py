"""Fixtures for all tests."""

from __future__ import annotations

pytest_plugins = [
    "tests.leftout",
    "tests.fixtures.order",
    "tests.fixtures.s3",
    "tests.fixtures.storage",
    "tests.fixtures.world",
]
