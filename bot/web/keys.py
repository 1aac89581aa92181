"""Keys in page addresses: only people who were given a link can open it."""

from __future__ import annotations

import hashlib
import hmac


class Keys:
    """Derives the key of each page from the secret key. A page's key reveals nothing about another page's."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(f"towpath:links:{secret}".encode()).digest()

    def of(self, page: str) -> str:
        """Return the key of a page: 24 hexadecimal digits. page: its path without the leading slash."""
        return hmac.new(self._secret, page.encode(), hashlib.sha256).hexdigest()[:24]

    def matches(self, page: str, key: str) -> bool:
        """Return whether `key` opens the page. Never raises, takes constant time."""
        return hmac.compare_digest(self.of(page).encode(), key.encode("utf-8", "replace"))

    def link(self, address: str, page: str) -> str:
        """Return the address of a page with its key. address: of the bot, without a trailing slash."""
        return f"{address}/{page}?key={self.of(page)}"
