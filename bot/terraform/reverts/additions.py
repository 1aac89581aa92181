"""Compute what an older configuration needs so that a plan of it against the current state is safe.

Without the additions, such a plan would destroy what was only renamed, could not destroy what needs a provider that
was added since, and would destroy what a newer release had imported.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bot.domain.ports.terraform import Additions, Engine
from bot.domain.sanitize import outside as sanitized
from bot.domain.states import Address, objects, providers, spell_address
from bot.errors import UserError
from bot.terraform.config import module_tree
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.module_graph import read_config
from bot.terraform.config.module_tree import Module, lines_of
from bot.terraform.config.provider_uses import LOCK_FILE
from bot.terraform.reverts import moved_blocks, removed_blocks
from bot.terraform.reverts.provider_requirements import ProviderRequirements

FILE = "towpath_revert.tf"
OVERRIDE_FILE = "towpath_revert_override.tf"
"""A module may have one `required_providers` block; only an override file can add to it."""

_REMOVED_BLOCKS_SINCE = (1, 7)
"""The first version of Terraform and of OpenTofu with `removed` blocks."""


def additions(
    engine: Engine,
    old_root: Path,
    new_root: Path,
    then: bytes,
    now: bytes,
    imported: Collection[str] | None,
) -> Additions:
    """See bot.domain.ports.terraform.Terraform.revert_additions."""
    old, new = module_tree.read(old_root, engine.flavour), module_tree.read(new_root, engine.flavour)
    for name in (FILE, OVERRIDE_FILE):
        if os.path.lexists(old_root / name):
            raise UserError(
                f"The file name `{name}` is reserved for Towpath.",
                next_step="Revert to a release whose configuration does not have this file.",
            )
    old_objects, objects_now = objects(then), objects(now)
    renames = moved_blocks.renames(old, new, old_objects, objects_now)
    blocked = moved_blocks.blocked(renames, old_objects, old)
    renames = {address: name for address, name in renames.items() if address not in blocked}
    imports = removed_blocks.import_targets(old, new) if imported is None else set(imported)
    exact = imported is not None
    forgotten = [
        address
        for address in objects_now
        if any(removed_blocks.targets(target, address, exact=exact) for target in imports)
        and address not in renames
        and not removed_blocks.was_managed(address, old, old_objects, objects_now)
    ]
    guessed = [address for address in forgotten if not exact and spell_address(address) not in imports]
    outside = removed_blocks.outside(old, new, old_objects, objects_now)
    requirements = ProviderRequirements(old, new, engine.flavour)
    requirements.add(providers(now))
    if forgotten and tuple(int(part) for part in engine.version.split(".")[:2]) < _REMOVED_BLOCKS_SINCE:
        raise UserError(
            f"The newer release imported `{sanitized(spell_address(forgotten[0]))}`, which a revert must remove from "
            f"the state without destroying it; {engine.identity} cannot do that.",
            next_step="Use Terraform or OpenTofu 1.7 or later.",
        )
    blocks = [moved_blocks.block(*move) for move in moved_blocks.statements(renames, objects_now, old)]
    blocks += removed_blocks.blocks(forgotten, objects_now, old, engine)
    return Additions(
        files=dict(_files(old_root, new_root, old, blocks, requirements)),
        renames={spell_address(address): spell_address(name) for address, name in renames.items()},
        forgets=tuple(map(spell_address, forgotten)),
        outside=tuple(map(spell_address, outside)),
        warnings=(*requirements.warnings, *_warnings(blocked, outside, guessed)),
    )


def _files(
    old_root: Path, new_root: Path, old: Module, blocks: list[str], requirements: ProviderRequirements
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the files to write into the old root module."""
    blocks = [*blocks, *(f"{text}\n" for text in requirements.blocks)]
    if requirements.required:
        entries = "".join(f"    {name} = {entry}\n" for name, entry in requirements.required.items())
        text = f"terraform {{\n  required_providers {{\n{entries}  }}\n}}\n"
        if any(list(item.block.named("required_providers")) for item in old.named("terraform")):
            yield OVERRIDE_FILE, text.encode()
        else:
            blocks.append(text)
        if lock := _merged_lock(old_root, new_root, requirements.sources):
            yield LOCK_FILE, lock
    if blocks:
        yield FILE, "\n".join(blocks).encode()


def _merged_lock(old_root: Path, new_root: Path, sources: set[str]) -> bytes:
    """Return the old lock file with the new one's entries for `sources`; b"" if that adds none."""
    old, new = _lock_entries(old_root), _lock_entries(new_root)
    added = [text for source, text in new.items() if source in sources and source not in old]
    content = read_config(old_root / LOCK_FILE) if old else b""
    return b"\n".join([content, *(f"{text}\n".encode() for text in added)]) if added else b""


def _lock_entries(root: Path) -> Mapping[str, str]:
    """Return provider source → its block in the lock file."""
    if not (root / LOCK_FILE).exists():
        return {}
    content = read_config(root / LOCK_FILE)
    try:
        blocks = parse(content).blocks
    except ParseError as error:
        raise UserError(
            f"`{LOCK_FILE}` cannot be parsed: {error}.", next_step="Fix the file and push."
        ) from error
    lines = content.decode("utf-8-sig", "replace").split("\n")
    return {block.labels[0]: lines_of(lines, *block.lines) for block in blocks if block.labels}


def _warnings(
    blocked: Mapping[Address, Address], outside: list[Address], guessed: list[Address]
) -> Iterator[str]:
    for address, name in blocked.items():
        yield (
            f"`{sanitized(spell_address(address))}` was `{sanitized(spell_address(name))}`, but the old configuration "
            f"has both names: it is destroyed and created again."
        )
    for address in outside:
        yield (
            f"`{sanitized(spell_address(address))}` exists outside the state, where the newer release left it: the "
            f"revert creates a second one. To keep the existing one, import it."
        )
    for address in guessed:
        yield (
            f"`{sanitized(spell_address(address))}` may have been created rather than imported: its `import` block has "
            f"`for_each`. The revert removes it from the state and does not destroy it."
        )
