"""Store the bytes of state versions in chains: a full copy (keyframe), followed by deltas.

Each delta is relative to the version before. So many versions take little space, reading one takes at most one chain,
and damage affects no more than the rest of its chain.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import func, select

from bot.domain.states import StateDamaged, StateVersion
from bot.storage.deltas import decode_delta, encode_delta
from bot.storage.rows import Rows, context
from bot.storage.tables import state_deltas, state_files

MAX_CHAIN = 48
"""Versions per chain. With 1 % of 5 MB changed each time, 1,000 versions take the space of 34 full copies (21 keyframes
and 13 copies' worth of deltas), and reading the last of a chain takes 48 steps of 1 to 2 ms."""
MAX_DELTA_STATE = 16 * 1024 * 1024
"""Bytes of the largest state that is stored as a delta: encoding one takes several times as much memory."""
MAX_DECODED = 320 * 1024 * 1024
"""Bytes to decode in all to read the last version of a chain; zstd decodes 2 to 4 GB per second. Chains of large states
are therefore shorter."""
MAX_DELTA_SHARE = 0.5
"""Size of the largest delta, as a share of its keyframe's. Beyond that another full copy makes reading faster."""


class StateData(Rows):
    """The bytes of state versions within one transaction."""

    def keep(self, version: StateVersion, data: bytes, before: StateVersion | None) -> None:
        """Store a version's bytes, as a delta from the version `before` if that is worthwhile."""
        if before is None or not self._keep_delta(version, data, before):
            sealed = self.vault.seal(data, context(state_files, version.id))
            self.insert(state_files, {"state_id": version.id, "file": sealed})

    def read(self, version: StateVersion) -> bytes:
        """Return a version's bytes. Raises StateDamaged if they are not those that were written."""
        try:
            _depth, data = deque(self._decode_chain(*self._position(version.id)), maxlen=1).pop()
        except ValueError as error:
            raise StateDamaged(version, str(error)) from error
        if not _intact(version, data):
            raise StateDamaged(version, "its digest does not match")
        return data

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        """Return the ids of those that cannot be read. Each chain is decoded once."""
        chains: dict[str, dict[int, StateVersion]] = {}
        for version in versions:
            keyframe, depth = self._position(version.id)
            chains.setdefault(keyframe, {})[depth] = version
        damaged: set[str] = set()
        for keyframe, members in chains.items():
            damaged.update(version.id for version in members.values())
            with suppress(ValueError):
                for depth, data in self._decode_chain(keyframe, max(members)):
                    if depth in members and _intact(members[depth], data):
                        damaged.remove(members[depth].id)
        return frozenset(damaged)

    def _keep_delta(self, version: StateVersion, data: bytes, before: StateVersion) -> bool:
        """Store a version as a delta; return False if it needs a full copy."""
        keyframe, depth = self._position(before.id)
        depth += 1
        too_large = max(len(data), before.size) > MAX_DELTA_STATE or (depth + 1) * len(data) > MAX_DECODED
        if depth >= MAX_CHAIN or too_large:
            return False
        try:
            base = self.read(before)
        except StateDamaged:
            return False  # a new chain: this version and later ones can be read again
        delta = encode_delta(data, base)
        size = self.first(select(func.length(state_files.c.file)).where(state_files.c.state_id == keyframe))
        if size is None or len(delta) > size[0] * MAX_DELTA_SHARE:
            return False
        sealed = self.vault.seal(delta, context(state_deltas, version.id))
        row = {"state_id": version.id, "keyframe": keyframe, "depth": depth, "file": sealed}
        self.insert(state_deltas, row)
        return True

    def _position(self, version_id: str) -> tuple[str, int]:
        """Return (id of the keyframe, number of deltas from there) of a version."""
        query = select(state_deltas.c.keyframe, state_deltas.c.depth)
        row = self.first(query.where(state_deltas.c.state_id == version_id))
        return (version_id, 0) if row is None else (row.keyframe, row.depth)

    def _decode_chain(self, keyframe: str, depth: int) -> Iterator[tuple[int, bytes]]:
        """Yield (depth, bytes) of a chain's versions up to `depth`, starting with the keyframe at 0.

        Raises ValueError, with the reason, at the first that cannot be decoded.
        """
        row = self.first(select(state_files.c.file).where(state_files.c.state_id == keyframe))
        if row is None:
            raise ValueError("its full copy is missing")
        data = self.vault.open(row.file, context(state_files, keyframe))
        yield 0, data
        if not depth:
            return
        query = select(state_deltas).where(state_deltas.c.keyframe == keyframe, state_deltas.c.depth <= depth)
        deltas = {delta.depth: delta for delta in self.connection.execute(query)}
        for number in range(1, depth + 1):
            if number not in deltas:
                raise ValueError(f"delta {number} of its chain is missing")
            delta = deltas[number]
            data = decode_delta(self.vault.open(delta.file, context(state_deltas, delta.state_id)), data)
            yield number, data


def _intact(version: StateVersion, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == version.sha256
