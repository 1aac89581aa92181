"""Name the files in errors from the top of the repository."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot.domain.why import Diagnostic


def located(errors: Iterable[Diagnostic], cwd: Path, top: Path) -> tuple[Diagnostic, ...]:
    """Return the errors with their files' paths from `top`. Terraform names files from `cwd`, and those of the command
    line as they were given. A file outside of `top` is not named."""
    return tuple(_located(error, cwd, Path(os.path.normpath(top))) for error in errors)


def _located(error: Diagnostic, cwd: Path, top: Path) -> Diagnostic:
    if not error.file or "\0" in error.file:
        return replace(error, file="", line=0, end_line=0)
    path = Path(os.path.normpath(cwd / error.file))
    if not path.is_relative_to(top) or path == top:
        return replace(error, file="", line=0, end_line=0)
    return replace(error, file=path.relative_to(top).as_posix())
