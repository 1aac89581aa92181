"""Logs: structured, on standard error, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import structlog

SHORTEST = 8
"""Characters of a line of a longer secret that is hidden by itself; shorter ones are words like any other."""


def configure(secrets: Sequence[str], *, as_json: bool) -> None:
    """One line an event. Each of `secrets` is replaced by `***` wherever it appears, tracebacks included."""
    hidden = sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True)

    def redact(_logger: object, _name: str, line: Any) -> str:
        """The finished line: whatever a value was, here it is text."""
        text = str(line)
        for secret in hidden:
            text = text.replace(secret, "***")
        return text

    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer, redact],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, redact],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def forms(secret: str) -> Iterator[str]:
    """The ways a secret is written: as it is, escaped as in JSON and in Python, and each of its longer lines."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield from (line for line in secret.splitlines() if len(line) >= SHORTEST)
