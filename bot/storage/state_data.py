"""The bytes of state versions: full copies (keyframes), each followed by a stretch of differences.

A difference is made from the version before. So many versions cost little, reading one takes a stretch at most, and
damage costs no more than the rest of its stretch.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import func, select

from bot.domain.state import StateDamaged, StateVersion
from bot.storage.deltas import restore, shrink
from bot.storage.rows import Rows, context
from bot.storage.tables import state_deltas, state_files

STRETCH = 48
"""Versions that share a full copy. With 1 % of 5 MB changed each time, 1,000 of them are 21 copies and 13 copies' worth
of differences; reading the last of a stretch takes 48 steps of 1 to 2 ms."""
LARGEST = 16 * 1024 * 1024
"""Bytes of a state that is kept as a difference: making one takes some times as much memory. Larger states, which few
have, are kept whole."""
LONGEST_WAY = 320 * 1024 * 1024
"""Bytes to be made, one version after the other, to read the last of a stretch: zstd makes 2 to 4 GB in a second. So
stretches of large states are shorter."""
WORTHWHILE = 0.5
"""A difference that is larger than this share of the full copy is none: another full copy makes reading quicker."""


class StateData(Rows):
    """Within one transaction, like the rows that it belongs to."""

    def keep(self, version: StateVersion, data: bytes, before: StateVersion | None) -> None:
        """Keep a version's bytes: as a difference from the current one, where that is worth it."""
        if before is None or not self._as_delta(version, data, before):
            sealed = self.vault.seal(data, context(state_files, version.id))
            self.insert(state_files, {"state_id": version.id, "file": sealed})

    def read(self, version: StateVersion) -> bytes:
        """Raises StateDamaged where the bytes are not those that were written."""
        try:
            _number, data = deque(self._stretch(*self._place(version.id)), maxlen=1).pop()
        except ValueError as error:
            raise StateDamaged(version, str(error)) from error
        if not _whole(version, data):
            raise StateDamaged(version, "its digest is not the one that was written down")
        return data

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        """The ids of those that cannot be read; each stretch is gone through once."""
        stretches: dict[str, dict[int, StateVersion]] = {}
        for version in versions:
            keyframe, depth = self._place(version.id)
            stretches.setdefault(keyframe, {})[depth] = version
        bad: set[str] = set()
        for keyframe, members in stretches.items():
            bad.update(version.id for version in members.values())
            with suppress(ValueError):
                for number, data in self._stretch(keyframe, max(members)):
                    if number in members and _whole(members[number], data):
                        bad.remove(members[number].id)
        return frozenset(bad)

    def _as_delta(self, version: StateVersion, data: bytes, before: StateVersion) -> bool:
        keyframe, depth = self._place(before.id)
        depth += 1
        if depth >= STRETCH or max(len(data), before.size) > LARGEST or (depth + 1) * len(data) > LONGEST_WAY:
            return False
        try:
            base = self.read(before)
        except StateDamaged:
            return False  # from here on all can be read again
        delta = shrink(data, base)
        whole = self.first(select(func.length(state_files.c.file)).where(state_files.c.state_id == keyframe))
        if whole is None or len(delta) > whole[0] * WORTHWHILE:
            return False
        sealed = self.vault.seal(delta, context(state_deltas, version.id))
        row = {"state_id": version.id, "keyframe": keyframe, "depth": depth, "file": sealed}
        self.insert(state_deltas, row)
        return True

    def _place(self, version_id: str) -> tuple[str, int]:
        """(the full copy that its stretch begins with, how many differences lead on from there)."""
        query = select(state_deltas.c.keyframe, state_deltas.c.depth)
        row = self.first(query.where(state_deltas.c.state_id == version_id))
        return (version_id, 0) if row is None else (row.keyframe, row.depth)

    def _stretch(self, keyframe: str, depth: int) -> Iterator[tuple[int, bytes]]:
        """(number, bytes) of a stretch's versions up to that one, its full copy first as number 0. Raises ValueError,
        which says why, at the first that cannot be made."""
        whole = self.first(select(state_files.c.file).where(state_files.c.state_id == keyframe))
        if whole is None:
            raise ValueError("its full copy is missing")
        data = self.vault.open(whole.file, context(state_files, keyframe))
        yield 0, data
        if not depth:
            return
        query = select(state_deltas).where(state_deltas.c.keyframe == keyframe, state_deltas.c.depth <= depth)
        deltas = {delta.depth: delta for delta in self.connection.execute(query)}
        for number in range(1, depth + 1):
            if number not in deltas:
                raise ValueError(f"difference {number} of its stretch is missing")
            delta = deltas[number]
            data = restore(self.vault.open(delta.file, context(state_deltas, delta.state_id)), data)
            yield number, data


def _whole(version: StateVersion, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == version.sha256
