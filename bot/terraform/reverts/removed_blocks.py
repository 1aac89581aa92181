"""Find what a newer release imported or forgot, and write `removed` blocks for what a revert must forget."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.ports.terraform import Engine
from bot.domain.states import Address, keyless, parse_address, spell_address
from bot.terraform.config.module_tree import Item, Module, text_of
from bot.terraform.reverts import moved_blocks
from bot.terraform.reverts.moved_blocks import Objects


def import_targets(old: Module, new: Module) -> set[str]:
    """Return the `to` of the new configuration's `import` blocks, except those that the old one has too."""
    return {text_of(item.block, "to") for item in new.named("import")} - {
        text_of(item.block, "to") for item in old.named("import")
    }


def targets(target: str, address: Address, *, exact: bool) -> bool:
    """Whether an import's `to` means this object.

    If not exact, keys that would have to be evaluated (`for_each`) match any key.
    """
    if target == spell_address(address):
        return True
    return (
        not exact
        and "[" in target
        and not _is_literal(target)
        and spell_address(keyless(address)) == "".join(_without_keys(target))
    )


def _is_literal(target: str) -> bool:
    try:
        return bool(parse_address(target))
    except ValueError:
        return False


def _without_keys(target: str) -> Iterator[str]:
    depth = 0
    for character in target:
        depth -= character == "]"
        if not depth and character not in "[]":
            yield character
        depth += character == "["


def was_managed(address: Address, old: Module, then: Objects, now: Objects) -> bool:
    """Whether the old configuration already managed this object."""
    if address in then or (not then and old.declares(address)):
        return True
    return any(candidate.same(now[address]) for candidate in then.values())


def outside(old: Module, new: Module, then: Objects, now: Objects) -> list[Address]:
    """Return what the new configuration forgot by a `removed` block and the old one declares."""
    known = {_forgotten_by(item) for item in old.named("removed")}
    forgotten = {_forgotten_by(item) for module in new.every() for item in module.named("removed")}
    forgotten -= known | {""}
    gone = [address for address in then if address not in now]
    return [
        address
        for address in gone
        if any(_is_below(source, address) for source in forgotten) and old.declares(address)
    ]


def _forgotten_by(item: Item) -> str:
    """Return the `from` of a `removed` block that does not destroy, else "".

    OpenTofu's block forgets if it has no `destroy`.
    """
    destroy = [block.attributes.get("destroy", ()) for block in item.block.named("lifecycle")]
    destroys = any(token.text == "true" for tokens in destroy for token in tokens)
    return "" if destroys else text_of(item.block, "from")


def _is_below(source: str, address: Address) -> bool:
    name = spell_address(keyless(address))
    return name == source or name.startswith(f"{source}.")


def blocks(forgotten: list[Address], now: Objects, old: Module, engine: Engine) -> Iterator[str]:
    """Yield the `removed` blocks, and `moved` blocks that they need.

    `removed` takes no instance keys: single instances of a resource are moved to a name of their own first.
    """
    lifecycle = "" if engine.flavour == "opentofu" else "\n  lifecycle {\n    destroy = false\n  }"
    removed = set()
    for number, address in enumerate(forgotten):
        resource = keyless(address)
        all_instances = all(other in forgotten for other in now if keyless(other) == resource)
        if not all_instances or old.declares(resource):
            resource = (resource[-1]._replace(name=f"towpath_forgotten_{number}"),)
            yield moved_blocks.block(address, resource)
        if resource not in removed:
            removed.add(resource)
            yield f"removed {{\n  from = {spell_address(resource)}\n{lifecycle}\n}}\n"
