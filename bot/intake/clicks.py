"""Read the values that buttons and modals carry. They come from outside, may be forged or old, and grant nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

log = structlog.get_logger()

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}", re.ASCII)
_CHANNEL = re.compile(r"[A-Z0-9]{1,64}", re.ASCII)
_TIMESTAMP = re.compile(r"\d{1,16}\.\d{1,6}", re.ASCII)
MAX_PAGE = 10_000


class ButtonCommand(NamedTuple):
    """The command of a button, and the repository and pull request it is for."""

    text: str
    repository: str
    pull: int


@dataclass(frozen=True)
class ApprovalRef:
    """The approval that a button or modal is about.

    digest: the first 16 hexadecimal digits of the digest of the plan that was shown. page: of that plan, from 1.
    one_click: approving needs no typed confirmation, so the click itself is the answer.
    channel, thread: where the clicked message is, which is where the answer goes ("" if unknown).
    """

    approval: str
    digest: str
    page: int = 1
    channel: str = ""
    thread: str = ""
    one_click: bool = False

    @property
    def metadata(self) -> str:
        """The private_metadata of a view; `parse_approval_ref` reads it back."""
        data = {"a": self.approval, "d": self.digest, "c": self.channel, "t": self.thread}
        return json.dumps(data, separators=(",", ":"))


def parse_approval_ref(text: str) -> ApprovalRef | None:
    """Parse a button's value or a view's private_metadata; None if it is not about an approval."""
    data = _parse_object(text)
    approval, digest = data.get("a"), data.get("d")
    page, channel, thread = data.get("n", 1), data.get("c") or "", data.get("t") or ""
    if not _matches(_ID, approval) or not _matches(_DIGEST, digest) or not isinstance(page, int):
        return None
    return ApprovalRef(
        str(approval),
        str(digest),
        min(max(page, 1), MAX_PAGE),
        str(channel) if _matches(_CHANNEL, channel) else "",
        str(thread) if _matches(_TIMESTAMP, thread) else "",
        data.get("s") == 1,
    )


def parse_follow_up(text: str) -> str:
    """Return the follow-up's id from the value of an Acknowledge button, or ""."""
    follow_up = _parse_object(text).get("f")
    return str(follow_up) if _matches(_ID, follow_up) else ""


def parse_button(value: str) -> ButtonCommand | None:
    """Parse the value of a button that stands for a command; None if it holds none."""
    try:
        data = json.loads(value)
        return ButtonCommand(str(data["c"])[:2000], str(data["r"])[:200], int(data["p"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        log.info("button without a command ignored", value=value[:100])
        return None


def input_value(view: Mapping[str, Any], block: str, action: str) -> str:
    """Return what was entered into an input block, without surrounding white space, or ""."""
    part: Any = view
    for key in ("state", "values", block, action, "value"):
        part = part.get(key) if isinstance(part, Mapping) else None
    return part.strip() if isinstance(part, str) else ""


def _parse_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
