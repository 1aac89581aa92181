"""Read Terraform's errors from plain text, as `init` and other tools print them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain.why.model import MAX_DETAIL, MAX_PATH, MAX_SUMMARY, Diagnostic

_PLACE = re.compile(r"\s{1,8}on (\S[^\n]{0,500}?) line (\d{1,9})(?:,|:|$)")
_INLINE = re.compile(r"(?:\(| at )([^\s():]{1,300}\.(?:tf|tofu)(?:\.json)?):(\d{1,9})\b")
"""How `init` names the place of a module's block."""
_WITH = re.compile(r"\s{1,8}with (\S[^\n]{0,500}?),?$")
_CODE = re.compile(r"\s{1,8}\d{1,9}:|\s{4,}[├│└]")
_FRAME = ("╷", "│", "╵")


def split_errors(text: str) -> Iterator[str]:
    """Yield the errors in output without `-json`: each from `Error: ` to the next error or warning, or to its frame's
    end."""
    error: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip("╷│╵ ").rstrip() if line.startswith(_FRAME) else line
        if bare.startswith(("Error: ", "Warning: ")) or line.startswith("╵"):
            if error:
                yield "\n".join(error).strip()
            error = [bare] if bare.startswith("Error: ") else []
        elif error:
            error.append(line[2:].rstrip() if line.startswith(_FRAME) else bare)
    if error:
        yield "\n".join(error).strip()


def parse_error(text: str) -> Diagnostic:
    """Read one error as Terraform formats it: summary, place, resource, detail. The file's path stays as written."""
    first, *rest = text.splitlines() or [""]
    file, line, address, detail = "", 0, "", []
    for one in rest:
        if (found := _PLACE.match(one)) and not file:
            file, line = found[1], int(found[2])
        elif (found := _WITH.match(one)) and not address:
            address = found[1]
        elif not _CODE.match(one):
            detail.append(one)
    if not file and (found := _INLINE.search(text[:MAX_DETAIL])):
        file, line = found[1], int(found[2])
    summary = first.removeprefix("Error: ").strip()
    return Diagnostic(
        summary[:MAX_SUMMARY],
        "\n".join(detail).strip()[:MAX_DETAIL],
        file[:MAX_PATH],
        line,
        line,
        address[:MAX_PATH],
    )
