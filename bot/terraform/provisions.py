"""Providers that objects in a state still need and a configuration does not provide: taken from a newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.domain.addresses import Address, spell
from bot.domain.words import outside
from bot.errors import UserError
from bot.terraform import hcl
from bot.terraform.modules import Flavour
from bot.terraform.tree import Item, Module, lines_of

_STATE = re.compile(r'(?P<module>.*\.)?provider\["(?P<source>[^"]+)"\](?:\.(?P<alias>[\w-]+))?')
_REFERENCE = re.compile(r"(?<![\w.-])(var|local|data|module)\.([\w-]+)(?:\.([\w-]+))?")
_HOSTS: Mapping[Flavour, str] = {
    "terraform": "registry.terraform.io",
    "opentofu": "registry.opentofu.org",
}
_BUILT_IN = "terraform.io/builtin/terraform"


class Requirement(NamedTuple):
    """An entry of `required_providers`. source: with host and namespace; text: the entry as it is written."""

    source: str
    text: str


class Provisions:
    """What to add to `old`, out of `new`. `text`: blocks; `required`: local name → entry; `sources`: their providers;
    `warnings`: what Terraform may refuse."""

    def __init__(self, old: Module, new: Module, flavour: Flavour) -> None:
        self.old, self.new, self.flavour = old, new, flavour
        self.text: list[str] = []
        self.required: dict[str, str] = {}
        self.sources: set[str] = set()
        self.warnings: list[str] = []
        self._known = _required(old, flavour), _required(new, flavour)
        self._added: set[tuple[str, str]] = set()

    def add(self, providers: Mapping[str, Address]) -> None:
        """See to all of these (as in states, with an object of each). Raises UserError for what cannot be had."""
        for provider, example in sorted(providers.items()):
            found = _STATE.fullmatch(provider)
            if found is None or found["source"] == _BUILT_IN:
                continue
            if found["module"]:
                self._within(found["module"], example)
            else:
                self._provide(found["source"], found["alias"] or "")

    def _within(self, module: str, example: Address) -> None:
        """A provider that a module configures by itself goes with the module."""
        if not self.old.declares(tuple(step for step in example if step.type == "module")):
            raise UserError(
                f"`{outside(spell(example))}` is destroyed by the provider that `{module.rstrip('.')}` configures, and the "
                f"old configuration does not call this module.",
                next_step="Remove that module's resources by a pull request first, then its call.",
            )

    def _provide(self, source: str, alias: str) -> None:
        names = [self._name(source, known) for known in self._known]
        used = self._uses(source)
        if names[0] is None:
            names[0] = self._require(source, names[1])
        item = next(self._configured(self.new, names[1], alias), None)
        has = any(self._configured(self.old, names[0], alias))
        if has or item is None or (used and not alias):
            return
        what = f'`provider "{names[1]}"`' + (f" (alias `{alias}`)" if alias else "")
        if not item.text or any(each.overrides for each in self._configured(self.new, names[1], alias)):
            raise UserError(
                f"Objects in the state need {what}, which the old configuration has not, and which "
                f"`{outside(item.file)}` has in JSON or in an override file: it cannot be taken over.",
                next_step="Write it as one ordinary block, apply, and revert then.",
            )
        self.text.append(re.sub(r'provider\s+"?[\w-]+"?', f'provider "{names[0]}"', item.text, count=1))
        self._refer(item.text, what)

    @staticmethod
    def _configured(module: Module, name: str | None, alias: str) -> Iterator[Item]:
        return (
            item
            for item in module.named("provider")
            if item.block.labels == (name,) and (item.block.text("alias") or "") == alias
        )

    def _name(self, source: str, known: Mapping[str, Requirement]) -> str | None:
        """A provider's local name: from `required_providers`, or its type where it goes without saying."""
        named = [name for name, entry in known.items() if entry.source == source]
        implied = source.rsplit("/", 1)[1]
        goes = source == self._whole(f"hashicorp/{implied}") and implied not in known
        return named[0] if named else implied if goes else None

    def _whole(self, source: str) -> str:
        return whole(source, self.flavour)

    def _uses(self, source: str) -> bool:
        """Whether the old configuration has resources of this provider, as far as it is known."""
        for module in self.old.every():
            known = _required(module, self.flavour)
            for item in module.named("resource", "data"):
                given = item.block.attributes.get("provider")
                name = given[0].text.split(".")[0] if given else item.block.labels[0].split("_", 1)[0]
                entry = known.get(name)
                if (entry.source if entry else self._whole(f"hashicorp/{name}")) == source:
                    return True
            if None in module.calls.values():
                return True
        return False

    def _require(self, source: str, name: str | None) -> str | None:
        if name is None:
            self.warnings.append(f"Neither configuration requires `{source}`, which the state still needs.")
            return None
        if name in self._known[0]:
            raise UserError(
                f"`{name}` is `{source}` in the newer configuration and `{self._known[0][name].source}` in the old "
                f"one, so that the old one cannot have both.",
                next_step=f"Remove what belongs to `{source}` by a pull request first.",
            )
        self.required[name] = self._known[1][name].text
        self.sources.add(source)
        return name

    def _refer(self, text: str, what: str) -> None:
        """See to what a copied text refers to."""
        for item in self.new.named("resource"):
            labels = item.block.labels
            named = rf"(?<![\w.-]){re.escape('.'.join(labels))}\b"
            if re.search(named, text) and not self.old.has("resource", *labels):
                raise self._missing(what, ".".join(labels))
        for kind, name, more in _REFERENCE.findall(text):
            if kind == "data" and not self.old.has("data", name, more):
                raise self._missing(what, f"data.{name}.{more}")
            if kind == "module" and name not in self.old.calls:
                raise self._missing(what, f"module.{name}")
            if kind in ("var", "local") and (kind, name) not in self._added:
                self._added.add((kind, name))
                (self._variable if kind == "var" else self._local)(name, what)

    def _variable(self, name: str, what: str) -> None:
        if self.old.has("variable", name):
            return
        item = next((each for each in self.new.named("variable") if each.block.labels == (name,)), None)
        if item is None or not item.text:
            raise self._missing(what, f"var.{name}")
        self.text.append(item.text)
        if "default" not in item.block.attributes:
            self.warnings.append(
                f"{what} needs `var.{name}`, which the old configuration has not: its value must come from "
                f"`TF_VAR_{name}`."
            )

    def _local(self, name: str, what: str) -> None:
        if any(name in item.block.attributes for item in self.old.named("locals")):
            return
        for item in self.new.named("locals"):
            if tokens := item.block.attributes.get(name):
                value = _written(tokens, item)
                if not item.text:
                    break
                self.text.append(f"locals {{\n  {name} = {value}\n}}")
                self._refer(value, what)
                return
        raise self._missing(what, f"local.{name}")

    @staticmethod
    def _missing(what: str, name: str) -> UserError:
        return UserError(
            f"Objects in the state can only be destroyed by {what}, which refers to `{name}`; the old configuration "
            f"has neither.",
            next_step="Remove these objects by a pull request that leaves the provider as it is, then revert.",
        )


def whole(source: str, flavour: Flavour) -> str:
    """A provider's source with its host and namespace, as states have it."""
    parts = source.lower().split("/")
    return "/".join([_HOSTS[flavour], "hashicorp"][: 3 - len(parts)] + parts)


def _required(module: Module, flavour: Flavour) -> dict[str, Requirement]:
    found = {}
    for item in module.named("terraform"):
        for block in item.block.named("required_providers"):
            for name, tokens in block.attributes.items():
                text = "".join(f'"{t.text}"' if t.kind == "string" else t.text for t in tokens)
                source = re.search(r'"?\bsource"?[=:]"([^"]+)"', text)
                found[name] = Requirement(
                    whole(source[1] if source else f"hashicorp/{name}", flavour), _written(tokens, item)
                )
            for inner in block.blocks:
                source_ = inner.text("source") or f"hashicorp/{inner.type}"
                entry = ", ".join(f'{key} = "{inner.text(key)}"' for key in inner.attributes)
                found[inner.type] = Requirement(whole(source_, flavour), f"{{ {entry} }}")
    return found


def _written(tokens: tuple[hcl.Token, ...], item: Item) -> str:
    """An expression as it is written: by its lines where it has several, else sign by sign."""
    first, last = tokens[0].line, tokens[-1].line + tokens[-1].text.count("\n")
    if first != last:
        start = item.block.lines[0]
        return lines_of(item.text.split("\n"), first - start + 1, last - start + 1).split("=", 1)[1].strip()
    text, before = "", None
    for token in tokens:
        glued = before is not None and (
            (_sign(before) and _sign(token)) or before.sign(".") or token.sign(".")
        )
        text += ("" if glued or before is None else " ") + (
            f'"{token.text}"' if token.kind == "string" else token.text
        )
        before = token
    return text


def _sign(token: hcl.Token) -> bool:
    return token.kind == "other" and not token.text.isalnum()
