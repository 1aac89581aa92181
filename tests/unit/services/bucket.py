"""A state in a bucket, in memory."""

from __future__ import annotations

from bot.domain.states import LockInfo, StateInfo, check_successor


class Bucket:
    """A state in a bucket, with a lock that only its own id releases. down: raised by whatever is asked."""

    def __init__(self, data: bytes | None = None) -> None:
        self.data = data
        self.present: LockInfo | None = None
        self.down: Exception | None = None

    def read(self) -> bytes | None:
        self._answer()
        return self.data

    def held(self) -> LockInfo | None:
        self._answer()
        return self.present

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        self._answer()
        if self.present is not None and self.present.id != wanted.id:
            return self.present
        self.present = wanted
        return None

    def unlock(self, lock_id: str) -> bool:
        self._answer()
        if self.present is not None and self.present.id == lock_id:
            self.present = None
        return self.present is None

    def write(self, data: bytes, lock_id: str) -> None:
        self._answer()
        assert self.present is not None, "written without the lock"
        assert self.present.id == lock_id, "written under another's lock"
        if self.data:
            check_successor(StateInfo.parse(self.data), StateInfo.parse(data))
        self.data = data

    def _answer(self) -> None:
        if self.down is not None:
            raise self.down
