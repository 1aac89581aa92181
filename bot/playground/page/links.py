"""Targets of the page's links."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


class Links:
    """Maps URLs of the stand-ins to places on this page, and keeps other http, https and mailto URLs."""

    def __init__(self, github: str, slack: str, repository: str) -> None:
        pages = rf"{re.escape(github)}/{re.escape(repository)}"
        self._pull = re.compile(
            rf"{pages}/pull/(\d+)(?:/(?:files|commits|checks))?(?:\?[^#]*)?(#.*)?", re.IGNORECASE
        )
        self._commit = re.compile(rf"{pages}/(?:pull/\d+/)?commits?/([0-9a-f]{{7,40}}).*", re.IGNORECASE)
        self._check = re.compile(rf"{pages}/runs/(\d+)", re.IGNORECASE)
        self._message = re.compile(rf"{re.escape(slack)}/archives/(\w+)/p(\d+)(\d{{6}}).*")

    def __call__(self, address: str) -> str:
        """Return where a link leads, or an empty text if it must not be a link."""
        if found := self._commit.fullmatch(address):
            return f"/commit/{found[1]}"
        if found := self._pull.fullmatch(address):
            return f"/?pull={found[1]}{anchor(found[2] or '')}"
        if found := self._check.fullmatch(address):
            return f"#check-{found[1]}"
        if found := self._message.fullmatch(address):
            return f"#slack-{found[2]}-{found[3]}"
        if address.startswith("#"):
            return address
        try:
            scheme = urlsplit(address).scheme
        except ValueError:
            return ""
        return address if scheme in ("http", "https", "mailto") else ""


def anchor(fragment: str) -> str:
    """Return the id of the page's entry for a fragment such as GitHub's `#issuecomment-12`."""
    found = re.fullmatch(r"#(?:issuecomment|pullrequestreview)-(\d+)", fragment)
    return f"#entry-{found[1]}" if found else ""
