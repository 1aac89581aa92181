"""Which objects only changed their name between two configurations, and the `moved` blocks that change it back.

Everything starts from the objects in the current state: each is followed back through the `moved` blocks that the
newer configuration has and the older one has not, and where these say nothing (they may have been removed since), by
the identity that the provider gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile

from bot.domain.addresses import Address, Object, keyless, spell
from bot.terraform.tree import Module, Move

Objects = Mapping[Address, Object]

_SHORTEST = 6
"""Characters of an id that may tell two objects apart: some providers write `none` or `static` for all of theirs."""


def back(move: Move, address: Address) -> Address | None:
    """Where `address` was before `move`; None where it did not come by it.

    An end without a key stands for all instances, unless the other end has one: Terraform's own reading.
    """
    start = len(move.module)
    calls = tuple(step.name for step in address[:start] if step.type == "module")
    end = start + len(move.target)
    if calls != move.module or len(address) < end:
        return None
    *within, last = address[start:end]
    *wanted, target = move.target
    *leading, source = move.source
    if within != wanted or last[:2] != target[:2]:
        return None
    if source.key is None and target.key is None:
        source = source._replace(key=last.key)
    elif last.key != target.key:
        return None
    return (*address[:start], *leading, source, *address[end:])


def renames(old: Module, new: Module, then: Objects, now: Objects) -> dict[Address, Address]:
    """Address now → address then, of all that goes by another name now. `then` may be empty: not known."""
    before = old.moves()
    added = [move for move in new.moves() if move not in before]
    found = {address: _named_before(address, added, old, then, now) for address in now}
    taken, ids = set(found.values()), _identities(then)
    for key, address in _identities(now).items():
        same = ids.get(key)
        if found[address] == address and address not in then and same and same not in taken:
            found[address] = same if old.declares(same) else address
    return {address: was for address, was in found.items() if was != address and was not in now}


def _named_before(address: Address, added: list[Move], old: Module, then: Objects, now: Objects) -> Address:
    names = _before(address, added)
    if same := [name for name in names if name in then and then[name].same(now[address])]:
        return same[0]
    declared = [name for name in names[1:] if name in then or (not then and old.declares(name))]
    return declared[-1] if declared else address


def _before(address: Address, moves: list[Move]) -> list[Address]:
    """`address`, then all names that it may have had, the oldest last: a module's own moves and moves of the module
    come in either order."""
    names = [address]
    for name in names:
        names += [was for move in moves if (was := back(move, name)) and was not in names]
    return names


def _identities(objects: Objects) -> dict[tuple[str, str, str], Address]:
    """(type, provider, id) → address, where only one object has these."""
    found: dict[tuple[str, str, str], list[Address]] = {}
    for address, one in objects.items():
        if len(one.identity) >= _SHORTEST:
            found.setdefault((address[-1].type, one.provider, one.identity), []).append(address)
    return {key: addresses[0] for key, addresses in found.items() if len(addresses) == 1}


def statements(
    names: Mapping[Address, Address], now: Objects, old: Module
) -> Iterator[tuple[Address, Address]]:
    """(from, to) of as few `moved` blocks as say all of `names`: whole modules and resources where all of them move.

    What the old configuration's own `moved` blocks lead on is left to these: two blocks with one `to` are refused.
    """
    own = old.moves()
    names = {address: was for address, was in names.items() if address not in _before(was, own)}
    ends = _Ends(names, now, old)
    done: set[tuple[Address, Address]] = set()
    for address, was in names.items():
        source, target = ends.widest(address, was)
        target = _before(target, own)[-1]
        if (source, target) not in done:
            done.add((source, target))
            yield source, target


class _Ends:
    """Finds the shortest ends of a move that say what `names` says and nothing else."""

    def __init__(self, names: Mapping[Address, Address], now: Objects, old: Module) -> None:
        self._names, self._old = names, old
        self._below: dict[Address, list[Address]] = {}
        for address in now:
            *modules, last = address
            whole = (*modules, last._replace(key=None))
            for start in {*(address[:length] for length in range(1, len(address))), whole}:
                self._below.setdefault(start, []).append(address)
        self._known: dict[tuple[Address, Address], bool] = {}

    def widest(self, address: Address, was: Address) -> tuple[Address, Address]:
        pairs = zip(reversed(address), reversed(was), strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        for tail in range(min(common, len(address) - 1, len(was) - 1), 0, -1):
            source, target = address[:-tail], was[:-tail]
            if target not in self._below and self._all(source, target):
                return source, target
        *modules, last = address
        *others, first = was
        source, target = (*modules, last._replace(key=None)), (*others, first._replace(key=None))
        if last.key is not None and not self._old.declares(address) and self._all(source, target):
            return source, target
        return address, was

    def _all(self, source: Address, target: Address) -> bool:
        """Whether everything below `source`, or all instances of it, goes to `target`."""
        if (source, target) not in self._known:
            length = len(source)
            self._known[source, target] = all(
                self._names.get(one)
                == (*target[:-1], target[-1]._replace(key=one[length - 1].key), *one[length:])
                if one[length - 1] != source[-1]
                else self._names.get(one) == (*target, *one[length:])
                for one in self._below[source]
            )
        return self._known[source, target]


def blocked(names: Mapping[Address, Address], then: Objects, old: Module) -> dict[Address, Address]:
    """Those of `names` that no `moved` block can take back: the old configuration has both names."""
    return {
        address: was
        for address, was in names.items()
        if (address in then or not then) and old.declares(address) and keyless(address) != keyless(was)
    }


def block(source: Address, target: Address) -> str:
    return f"moved {{\n  from = {spell(source)}\n  to   = {spell(target)}\n}}\n"
