"""Read `required_providers`: which source each local provider name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bot.terraform.config.hcl_tokens import Token
from bot.terraform.config.module_graph import Flavour
from bot.terraform.config.module_tree import Item, Module, lines_of

REGISTRIES: Mapping[Flavour, str] = {
    "terraform": "registry.terraform.io",
    "opentofu": "registry.opentofu.org",
}
_SOURCE = re.compile(r'"?\bsource"?[=:]"([^"]+)"')


class Requirement(NamedTuple):
    """An entry of `required_providers`. source: with host and namespace. text: the entry as written. line: its first, 0 if
    not known."""

    source: str
    text: str
    line: int = 0


def required_providers(module: Module, flavour: Flavour) -> dict[str, Requirement]:
    """Return local name → requirement of a module. Of several entries, the last in the order of the files counts."""
    return requirements_in(module.named("terraform"), flavour)


def requirements_in(items: Iterable[Item], flavour: Flavour) -> dict[str, Requirement]:
    """Return local name → requirement of `terraform` blocks."""
    requirements = {}
    for item in items:
        for block in item.block.named("required_providers"):
            for name, tokens in block.attributes.items():
                text = "".join(f'"{t.text}"' if t.kind == "string" else t.text for t in tokens)
                match = _SOURCE.search(text)
                source = full_source(match[1] if match else f"hashicorp/{name}", flavour)
                requirements[name] = Requirement(source, expression_text(tokens, item), tokens[0].line)
            for inner in block.blocks:
                source = full_source(inner.text("source") or f"hashicorp/{inner.type}", flavour)
                entry = ", ".join(f'{key} = "{inner.text(key)}"' for key in inner.attributes)
                requirements[inner.type] = Requirement(source, f"{{ {entry} }}", inner.lines[0])
    return requirements


def full_source(source: str, flavour: Flavour) -> str:
    """Return a provider's source with host and namespace, as states have it."""
    parts = source.lower().split("/")
    return "/".join([REGISTRIES[flavour], "hashicorp"][: 3 - len(parts)] + parts)


def expression_text(tokens: tuple[Token, ...], item: Item) -> str:
    """Return an expression as source: its own lines if it has several, else rebuilt from its tokens."""
    first, last = tokens[0].line, tokens[-1].line + tokens[-1].text.count("\n")
    if first != last:
        start = item.block.lines[0]
        return lines_of(item.text.split("\n"), first - start + 1, last - start + 1).split("=", 1)[1].strip()
    text, previous = "", None
    for token in tokens:
        adjacent = previous is not None and (
            (_is_operator(previous) and _is_operator(token))
            or previous.is_symbol(".")
            or token.is_symbol(".")
        )
        text += ("" if adjacent or previous is None else " ") + (
            f'"{token.text}"' if token.kind == "string" else token.text
        )
        previous = token
    return text


def _is_operator(token: Token) -> bool:
    return token.kind == "other" and not token.text.isalnum()
