"""Read a policy file as TOML, within limits, and say what is wrong with it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from bot.errors import UserError

LARGEST = 256 * 1024
"""Bytes. A policy is a page or two; a larger file is a mistake or an attack."""
DEEPEST = 8
"""Levels of tables and arrays. No format needs more than seven."""
SHOWN = 25
"""Problems that a message lists. It gives the number of the others."""

_LONG_KEY = re.compile(r"""^[ \t\[]*(?:[\w"'-]+[ \t]*\.[ \t]*){8}""", re.MULTILINE | re.ASCII)


class PolicyError(UserError):
    """The policy is not valid. `problems`: one line each, `<file> line <n>: <what>`, in the order of the file."""

    def __init__(self, problems: list[str], *, next_step: str = "") -> None:
        shown = problems[:SHOWN]
        if len(problems) > SHOWN:
            shown.append(f"and {len(problems) - SHOWN} more")
        if len(problems) == 1:
            what = problems[0]
        else:
            what = f"The policy has {len(problems)} problems.\n" + "\n".join(f"- {line}" for line in shown)
        super().__init__(what, next_step=next_step or "Correct the file on the default branch.")
        self.problems = tuple(problems)


def load_toml(text: str, source: str, largest: int = LARGEST) -> dict[str, Any]:
    """Return the file's tables as plain values. source: its name, for problems. largest: bytes.

    Raises PolicyError, and nothing else, whatever the text is.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise PolicyError([f"{source}: not valid UTF-8."]) from None
    if size > largest:
        raise PolicyError([f"{source}: larger than {largest // 1024} KB."])
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.start()) + 1
        raise PolicyError([f"{source} line {line}: a key with more than eight parts."])
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise PolicyError([f"{source}: nested too deeply."]) from None
    except ValueError as error:
        found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{source} line {found[2]}" if found else source
        what = found[1] if found else str(error)
        raise PolicyError([f"{where}: not valid TOML: {what[:200]}."]) from None
    if not _shallow(raw):
        raise PolicyError([f"{source}: nested more than {DEEPEST} levels deep."])
    return raw


def _shallow(raw: object) -> bool:
    level: list[object] = [raw]
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            for child in (
                value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            )
        ]
    return not level
