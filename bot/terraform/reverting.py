"""What an older configuration needs beside itself, so that a plan of it against the current state does not destroy what
only changed its name, can destroy what has to go, and forgets what a newer release had imported."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bot.domain.addresses import Address, keyless, objects, parse, providers, spell
from bot.domain.ports.terraform import Additions, Engine
from bot.domain.words import outside as told
from bot.errors import UserError
from bot.terraform import renames, tree
from bot.terraform.fingerprint import LOCK_FILE
from bot.terraform.hcl import Unreadable
from bot.terraform.hcl import parse as parse_hcl
from bot.terraform.modules import read_config
from bot.terraform.provisions import Provisions
from bot.terraform.renames import Objects
from bot.terraform.tree import Module, lines_of, text_of

FILE = "towpath_revert.tf"
OVERRIDE_FILE = "towpath_revert_override.tf"
"""A module may have one `required_providers` block; only an override file adds to it."""

_FORGETS = (1, 7)
"""Terraform and OpenTofu: the first with `removed` blocks."""


def additions(
    engine: Engine,
    old_root: Path,
    new_root: Path,
    then: bytes,
    now: bytes,
    imported: Collection[str] | None,
) -> Additions:
    """As in bot.domain.ports.terraform.Terraform.revert_additions."""
    old, new = tree.read(old_root, engine.flavour), tree.read(new_root, engine.flavour)
    for name in (FILE, OVERRIDE_FILE):
        if os.path.lexists(old_root / name):
            raise UserError(f"`{name}` is a name that is kept for Towpath.", next_step="Rename it.")
    was, present = objects(then), objects(now)
    names = renames.renames(old, new, was, present)
    stuck = renames.blocked(names, was, old)
    names = {address: name for address, name in names.items() if address not in stuck}
    ends = _imports(old, new) if imported is None else set(imported)
    candidates = [one for one in present if any(_is(end, one, whole=imported is None) for end in ends)]
    forgotten = [one for one in candidates if one not in names and not _older(one, old, was, present)]
    guessed = [one for one in forgotten if imported is None and spell(one) not in ends]
    outside = _outside(old, new, was, present)
    provisions = Provisions(old, new, engine.flavour)
    provisions.add(providers(now))
    if forgotten and tuple(int(part) for part in engine.version.split(".")[:2]) < _FORGETS:
        raise UserError(
            f"The newer release imported `{told(spell(forgotten[0]))}`; going back has to let go of it without destroying "
            f"it, which {engine.identity} cannot do.",
            next_step="Use Terraform or OpenTofu 1.7 or later.",
        )
    blocks = [renames.block(*ends) for ends in renames.statements(names, present, old)]
    blocks += _removals(forgotten, present, old, engine)
    return Additions(
        files=dict(_files(old_root, new_root, old, blocks, provisions)),
        renames={spell(address): spell(name) for address, name in names.items()},
        forgets=tuple(map(spell, forgotten)),
        outside=tuple(map(spell, outside)),
        warnings=(*provisions.warnings, *_warnings(stuck, outside, guessed)),
    )


def _imports(old: Module, new: Module) -> set[str]:
    """The ends of the newer configuration's `import` blocks, as far as the old one has them not."""
    return {text_of(item.block, "to") for item in new.named("import")} - {
        text_of(item.block, "to") for item in old.named("import")
    }


def _older(address: Address, old: Module, then: Objects, now: Objects) -> bool:
    """Whether the old configuration had this object under management already."""
    if address in then or (not then and old.declares(address)):
        return True
    return any(one.same(now[address]) for one in then.values())


def _is(end: str, address: Address, *, whole: bool) -> bool:
    """Whether `end` means this object; where `whole`, by name alone if its keys are still to be evaluated."""
    if end == spell(address):
        return True
    return (
        whole and "[" in end and not _literal(end) and spell(keyless(address)) == "".join(_without_keys(end))
    )


def _literal(end: str) -> bool:
    try:
        return bool(parse(end))
    except ValueError:
        return False


def _without_keys(end: str) -> Iterator[str]:
    depth = 0
    for sign in end:
        depth -= sign == "]"
        if not depth and sign not in "[]":
            yield sign
        depth += sign == "["


def _outside(old: Module, new: Module, then: Objects, now: Objects) -> list[Address]:
    """What the newer release forgot by a `removed` block, and the old configuration has."""
    known = {_forgets(item) for item in old.named("removed")}
    ends = {_forgets(item) for module in new.every() for item in module.named("removed")} - known - {""}
    gone = [one for one in then if one not in now]
    return [one for one in gone if any(_below(end, one) for end in ends) and old.declares(one)]


def _forgets(item: tree.Item) -> str:
    """What a `removed` block lets go of without destroying it; OpenTofu's says nothing of `destroy` then."""
    destroys = [block.attributes.get("destroy", ()) for block in item.block.named("lifecycle")]
    keeps = not any(token.text == "true" for tokens in destroys for token in tokens)
    return text_of(item.block, "from") if keeps else ""


def _below(end: str, address: Address) -> bool:
    plain = spell(keyless(address))
    return plain == end or plain.startswith(f"{end}.")


def _removals(forgotten: list[Address], now: Objects, old: Module, engine: Engine) -> Iterator[str]:
    """`removed` takes no keys: what is but a part of its resource is moved to a name of its own first."""
    lifecycle = "" if engine.flavour == "opentofu" else "\n  lifecycle {\n    destroy = false\n  }"
    done = set()
    for number, address in enumerate(forgotten):
        plain = keyless(address)
        whole = all(one in forgotten for one in now if keyless(one) == plain) and not old.declares(plain)
        if not whole:
            plain = (plain[-1]._replace(name=f"towpath_forgotten_{number}"),)
            yield renames.block(address, plain)
        if plain not in done:
            done.add(plain)
            yield f"removed {{\n  from = {spell(plain)}\n{lifecycle}\n}}\n"


def _files(
    old_root: Path, new_root: Path, old: Module, blocks: list[str], provisions: Provisions
) -> Iterator[tuple[str, bytes]]:
    blocks = [*blocks, *(f"{text}\n" for text in provisions.text)]
    if provisions.required:
        entries = "".join(f"    {name} = {entry}\n" for name, entry in provisions.required.items())
        text = f"terraform {{\n  required_providers {{\n{entries}  }}\n}}\n"
        if any(list(item.block.named("required_providers")) for item in old.named("terraform")):
            yield OVERRIDE_FILE, text.encode()
        else:
            blocks.append(text)
        if lock := _lock(old_root, new_root, provisions.sources):
            yield LOCK_FILE, lock
    if blocks:
        yield FILE, "\n".join(blocks).encode()


def _lock(old_root: Path, new_root: Path, sources: set[str]) -> bytes:
    """The old lock file with the new one's entries for `sources`; empty where that changes nothing."""
    old, new = _locked(old_root), _locked(new_root)
    added = [text for source, text in new.items() if source in sources and source not in old]
    kept = read_config(old_root / LOCK_FILE) if old else b""
    return b"\n".join([kept, *(f"{text}\n".encode() for text in added)]) if added else b""


def _locked(root: Path) -> Mapping[str, str]:
    if not (root / LOCK_FILE).exists():
        return {}
    content = read_config(root / LOCK_FILE)
    try:
        blocks = parse_hcl(content).blocks
    except Unreadable as error:
        raise UserError(f"`{LOCK_FILE}` cannot be read: {error}.", next_step="Correct it.") from error
    lines = content.decode("utf-8-sig", "replace").split("\n")
    return {block.labels[0]: lines_of(lines, *block.lines) for block in blocks if block.labels}


def _warnings(
    stuck: Mapping[Address, Address], outside: list[Address], guessed: list[Address]
) -> Iterator[str]:
    for address, name in stuck.items():
        yield (
            f"`{told(spell(address))}` was `{told(spell(name))}`, but the old configuration has both names: it is destroyed and "
            f"created anew."
        )
    for address in outside:
        yield (
            f"`{told(spell(address))}` exists outside the state, where the newer release left it: going back creates it a "
            f"second time. Import it to have it back."
        )
    for address in guessed:
        yield (
            f"`{told(spell(address))}` may have been created and not imported: its `import` block has `for_each`. It stays in "
            f"the world, outside the state."
        )
