"""What buttons and modals carry. It comes from outside: it may be forged or old, and grants nothing by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}", re.ASCII)
_CHANNEL = re.compile(r"[A-Z0-9]{1,64}", re.ASCII)
_STAMP = re.compile(r"\d{1,16}\.\d{1,6}", re.ASCII)
PAGES = 10_000


@dataclass(frozen=True)
class About:
    """Which approval, and the first 16 hex digits of the digest of the plan that was shown. page: of the plan, from 1.
    simple: nothing needs to be typed to approve it, so that the click itself is the answer.
    channel, thread: where the message stood that was clicked, so that the answer finds its way back ("" for none)."""

    approval: str
    digest: str
    page: int = 1
    channel: str = ""
    thread: str = ""
    simple: bool = False

    @property
    def metadata(self) -> str:
        """A view's private_metadata; `about` reads it back."""
        data = {"a": self.approval, "d": self.digest, "c": self.channel, "t": self.thread}
        return json.dumps(data, separators=(",", ":"))


def about(text: str) -> About | None:
    """A button's value or a view's private_metadata; None for anything that is not about an approval."""
    data = _object(text)
    approval, digest = data.get("a"), data.get("d")
    page, channel, thread = data.get("n", 1), data.get("c") or "", data.get("t") or ""
    if not _is(_ID, approval) or not _is(_DIGEST, digest) or not isinstance(page, int):
        return None
    return About(
        str(approval),
        str(digest),
        min(max(page, 1), PAGES),
        str(channel) if _is(_CHANNEL, channel) else "",
        str(thread) if _is(_STAMP, thread) else "",
        data.get("s") == 1,
    )


def follow_up(text: str) -> str:
    """The follow-up's id in the value of an Acknowledge button; "" for anything else."""
    found = _object(text).get("f")
    return str(found) if _is(_ID, found) else ""


def entered(view: Mapping[str, Any], block: str, action: str) -> str:
    """What was written into an input block, without the white space around it; "" for nothing."""
    found: Any = view
    for key in ("state", "values", block, action, "value"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found.strip() if isinstance(found, str) else ""


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
