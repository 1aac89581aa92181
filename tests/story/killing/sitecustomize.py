"""Python imports this at the start of a bot whose PYTHONPATH leads here: the bot kills itself (-9) at the commit that
the file `KILL_AT` names, see tests.story.kills."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

_POINT = Path(os.environ["KILL_AT"])
_marked = threading.local()
_commit = DefaultDialect.do_commit


def _look(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
    """Mark this thread's transaction where its statement is the one that is named."""
    try:
        when, words = _POINT.read_text().split("\n", 1)
    except FileNotFoundError:
        return
    if re.search(words, f"{' '.join(statement.split())} {parameters}"):
        _marked.when = when


def _do_commit(self: DefaultDialect, connection: Any) -> None:
    when, _marked.when = getattr(_marked, "when", ""), ""
    if when == "before":
        _die()
    _commit(self, connection)
    if when:
        _die()


def _die() -> None:
    _POINT.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


event.listen(Engine, "after_cursor_execute", _look)
setattr(DefaultDialect, "do_commit", _do_commit)  # noqa: B010  (mypy knows it as a method)
