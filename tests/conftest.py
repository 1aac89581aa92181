"""Fixtures for all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = [
    "tests.leftout",
    "tests.fixtures.order",
    "tests.fixtures.s3",
    "tests.fixtures.storage",
    "tests.fixtures.world",
]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that a test calls sets logging up for its own standard error, which is closed when the test is over."""
    configured, config = structlog.is_configured(), structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if configured:
        structlog.configure(**config)
    else:
        structlog.reset_defaults()
    if root.handlers[:] != handlers:
        root.handlers[:], root.level = handlers, level
