"""Terraform's errors as annotations of a check: plain text, which GitHub does not format."""

from __future__ import annotations

from bot.domain.ports.forge import Annotation
from bot.domain.why import Diagnostic, Failure
from bot.render.escape import clean
from bot.render.truncation import CHECK_TITLE, shorten

MOST = 50
"""GitHub: annotations in one request."""
MESSAGE = 16_000
"""Characters of a message: GitHub takes 64 KB, and a character has at most four bytes."""


def annotations_of(failure: Failure) -> tuple[Annotation, ...]:
    """Return an annotation for each error with a line in a file of the repository, each place and text once."""
    named = (one for one in failure.reason.diagnostics if one.tracked and one.file and one.line)
    return tuple(dict.fromkeys(map(_annotation, named)))[:MOST]


def _annotation(error: Diagnostic) -> Annotation:
    title = shorten(clean(error.summary), CHECK_TITLE) or "Error"
    message = clean(error.detail, lines=True).strip() or title
    if error.address:
        message = f"{message}\n\nwith {clean(error.address)}"
    return Annotation(
        error.file, error.line, max(error.line, error.end_line), title, shorten(message, MESSAGE)
    )
