"""Find objects that were only renamed between two configurations, and write `moved` blocks that rename them back.

Each object in the current state is followed back through the `moved` blocks that only the newer configuration has.
Where these say nothing (they may have been removed since), it is found by the id that its provider gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile

from bot.domain.states import Address, Object, keyless, spell_address
from bot.terraform.config.module_tree import Module, Move

Objects = Mapping[Address, Object]

_MIN_ID_LENGTH = 6
"""Characters of an id that may be unique: some providers write `none` or `static` for all of their objects."""


def back(move: Move, address: Address) -> Address | None:
    """Return what `address` was before `move`, or None if the move does not lead to it.

    As in Terraform, an address without a key stands for all instances unless the other one has a key.
    """
    start = len(move.module)
    calls = tuple(step.name for step in address[:start] if step.type == "module")
    end = start + len(move.target)
    if calls != move.module or len(address) < end:
        return None
    *modules, last = address[start:end]
    *target_modules, target = move.target
    *source_modules, source = move.source
    if modules != target_modules or last[:2] != target[:2]:
        return None
    if source.key is None and target.key is None:
        source = source._replace(key=last.key)
    elif last.key != target.key:
        return None
    return (*address[:start], *source_modules, source, *address[end:])


def renames(old: Module, new: Module, then: Objects, now: Objects) -> dict[Address, Address]:
    """Return address now → address then, of all objects that were renamed. An empty `then` means not known."""
    old_moves = old.moves()
    added_moves = [move for move in new.moves() if move not in old_moves]
    names = {address: _old_name(address, added_moves, old, then, now) for address in now}
    taken, ids = set(names.values()), _by_identity(then)
    for key, address in _by_identity(now).items():
        same = ids.get(key)
        if names[address] == address and address not in then and same and same not in taken:
            names[address] = same if old.declares(same) else address
    return {address: name for address, name in names.items() if name != address and name not in now}


def _old_name(address: Address, moves: list[Move], old: Module, then: Objects, now: Objects) -> Address:
    names = _former_names(address, moves)
    if same := [name for name in names if name in then and then[name].same(now[address])]:
        return same[0]
    declared = [name for name in names[1:] if name in then or (not then and old.declares(name))]
    return declared[-1] if declared else address


def _former_names(address: Address, moves: list[Move]) -> list[Address]:
    """Return `address`, then all names that it may have had, oldest last.

    A module's own moves and moves of the module may come in either order.
    """
    names = [address]
    for name in names:
        names += [former for move in moves if (former := back(move, name)) and former not in names]
    return names


def _by_identity(objects: Objects) -> dict[tuple[str, str, str], Address]:
    """Return (type, provider, id) → address, where only one object has them."""
    by_identity: dict[tuple[str, str, str], list[Address]] = {}
    for address, item in objects.items():
        if len(item.identity) >= _MIN_ID_LENGTH:
            by_identity.setdefault((address[-1].type, item.provider, item.identity), []).append(address)
    return {key: addresses[0] for key, addresses in by_identity.items() if len(addresses) == 1}


def statements(
    names: Mapping[Address, Address], now: Objects, old: Module
) -> Iterator[tuple[Address, Address]]:
    """Yield (from, to) of as few `moved` blocks as express `names`: modules and resources that move as a whole are one.

    Where the old configuration's own `moved` blocks continue a move, ours ends where theirs begin: Terraform refuses
    two blocks with the same `to`.
    """
    old_moves = old.moves()
    names = {
        address: name for address, name in names.items() if address not in _former_names(name, old_moves)
    }
    moves = _Moves(names, now, old)
    done: set[tuple[Address, Address]] = set()
    for address, name in names.items():
        source, target = moves.widest(address, name)
        target = _former_names(target, old_moves)[-1]
        if (source, target) not in done:
            done.add((source, target))
            yield source, target


class _Moves:
    """Finds the widest moves (of modules, resources or instances) that rename exactly what `names` renames."""

    def __init__(self, names: Mapping[Address, Address], now: Objects, old: Module) -> None:
        self._names, self._old = names, old
        self._below: dict[Address, list[Address]] = {}
        for address in now:
            *modules, last = address
            resource = (*modules, last._replace(key=None))
            for start in {*(address[:length] for length in range(1, len(address))), resource}:
                self._below.setdefault(start, []).append(address)
        self._complete: dict[tuple[Address, Address], bool] = {}

    def widest(self, address: Address, name: Address) -> tuple[Address, Address]:
        """Return (from, to) of the widest move that renames `address` to `name`."""
        pairs = zip(reversed(address), reversed(name), strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        for tail in range(min(common, len(address) - 1, len(name) - 1), 0, -1):
            source, target = address[:-tail], name[:-tail]
            if target not in self._below and self._is_complete(source, target):
                return source, target
        *modules, last = address
        *name_modules, name_last = name
        source, target = (*modules, last._replace(key=None)), (*name_modules, name_last._replace(key=None))
        if last.key is not None and not self._old.declares(address) and self._is_complete(source, target):
            return source, target
        return address, name

    def _is_complete(self, source: Address, target: Address) -> bool:
        """Whether everything below `source`, or all instances of it, moves to `target`."""
        if (source, target) not in self._complete:
            length = len(source)
            self._complete[source, target] = all(
                self._names.get(address)
                == (*target[:-1], target[-1]._replace(key=address[length - 1].key), *address[length:])
                if address[length - 1] != source[-1]
                else self._names.get(address) == (*target, *address[length:])
                for address in self._below[source]
            )
        return self._complete[source, target]


def blocked(names: Mapping[Address, Address], then: Objects, old: Module) -> dict[Address, Address]:
    """Return those of `names` that no `moved` block can undo, since the old configuration declares both names."""
    return {
        address: name
        for address, name in names.items()
        if (address in then or not then) and old.declares(address) and keyless(address) != keyless(name)
    }


def block(source: Address, target: Address) -> str:
    """Return a `moved` block."""
    return f"moved {{\n  from = {spell_address(source)}\n  to   = {spell_address(target)}\n}}\n"
