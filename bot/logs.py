"""Configure logging: structured, on standard error, with secrets redacted."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import structlog

MIN_LINE = 8
"""Characters that a line of a multi-line secret needs to be redacted on its own; shorter lines occur in ordinary text."""


def configure(secrets: Sequence[str], *, as_json: bool) -> None:
    """Set up structlog and logging: one line per event, each of `secrets` replaced by `***`, in tracebacks too."""
    redacted = sorted({form for secret in secrets for form in spellings(secret)}, key=len, reverse=True)

    def redact(_logger: object, _name: str, line: Any) -> str:
        """Redact the finished line: by now, every value is text."""
        text = str(line)
        for secret in redacted:
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


def spellings(secret: str) -> Iterator[str]:
    """Yield the ways a secret may be written: as it is, escaped for JSON and for Python, and each of its longer lines."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield from (line for line in secret.splitlines() if len(line) >= MIN_LINE)
