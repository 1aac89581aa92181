"""Links that only those can open who were given them: the address holds a key that cannot be guessed."""

from __future__ import annotations

import hashlib
import hmac


class Keys:
    """Keys of pages, derived from the secret key. A page's key says nothing about another page's."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(f"towpath:links:{secret}".encode()).digest()

    def of(self, page: str) -> str:
        """The key of a page (24 hexadecimal digits)."""
        return hmac.new(self._secret, page.encode(), hashlib.sha256).hexdigest()[:24]

    def fits(self, page: str, key: str) -> bool:
        return hmac.compare_digest(self.of(page).encode(), key.encode("utf-8", "replace"))

    def link(self, address: str, page: str) -> str:
        """The page's address with its key."""
        return f"{address}/{page}?key={self.of(page)}"
