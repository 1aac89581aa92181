"""Limit connections, in total and for each address. Where there are too many, the oldest one that owes a request is closed.

So whoever sends a whole request is served while others hold connections open, even from the same address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from bot.web.addresses import counted_as


class Connection(Protocol):
    @property
    def address(self) -> str:
        """The peer's address."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether the client has yet to send a whole request, so that closing it loses no work."""
        ...

    def drop(self) -> None:
        """Close it now."""
        ...


class Connections:
    """The open connections of one server, used by its thread alone.

    most: in total. each: from one address. shared: whether many people connect from an address, as from a proxy's: only
    the total limits it.
    """

    def __init__(self, most: int, each: int, shared: Callable[[str], bool]) -> None:
        self._most, self._each, self._shared = most, each, shared
        self._open: dict[Connection, str] = {}
        self._by_address: dict[str, dict[Connection, None]] = {}

    def admit(self, connection: Connection) -> bool:
        """Add a new connection; return False if there is no room and none could be closed for it."""
        address = "" if self._shared(connection.address) else counted_as(connection.address)
        same = self._by_address.get(address, {})
        if address and len(same) >= self._each and not self._close_one(iter(same)):
            return False
        if len(self._open) >= self._most and not self._close_one(iter(self._open)):
            return False
        self._open[connection] = address
        self._by_address.setdefault(address, {})[connection] = None
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection; it need not be known."""
        address = self._open.pop(connection, None)
        if address is None:
            return
        same = self._by_address[address]
        del same[connection]
        if not same:
            del self._by_address[address]

    def _close_one(self, oldest_first: Iterator[Connection]) -> bool:
        victim = next((one for one in oldest_first if one.waiting), None)
        if victim is None:
            return False
        self.remove(victim)
        victim.drop()
        return True
