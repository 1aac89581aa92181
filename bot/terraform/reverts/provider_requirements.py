"""Find the providers that objects in a state need and an older configuration lacks; take them from a newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.domain.policy import BUILT_IN
from bot.domain.sanitize import outside
from bot.domain.states import Address, spell_address
from bot.errors import UserError
from bot.terraform.config.module_graph import Flavour
from bot.terraform.config.module_tree import Item, Module
from bot.terraform.config.provider_uses import provider_name
from bot.terraform.config.required_providers import (
    Requirement,
    expression_text,
    full_source,
    required_providers,
)

_STATE_PROVIDER = re.compile(r'(?P<module>.*\.)?provider\["(?P<source>[^"]+)"\](?:\.(?P<alias>[\w-]+))?')
_REFERENCE = re.compile(r"(?<![\w.-])(var|local|data|module)\.([\w-]+)(?:\.([\w-]+))?")


class ProviderRequirements:
    """What to add to the `old` configuration, taken from `new`.

    blocks: source of blocks to add. required: local name → entry of `required_providers`. sources: the providers of
    these entries. warnings: what Terraform may refuse.
    """

    def __init__(self, old: Module, new: Module, flavour: Flavour) -> None:
        self.old, self.new, self.flavour = old, new, flavour
        self.blocks: list[str] = []
        self.required: dict[str, str] = {}
        self.sources: set[str] = set()
        self.warnings: list[str] = []
        self._old_required = required_providers(old, flavour)
        self._new_required = required_providers(new, flavour)
        self._added: set[tuple[str, str]] = set()

    def add(self, providers: Mapping[str, Address]) -> None:
        """Add what these providers need: provider as written in a state → an object that needs it.

        Raises UserError for a provider that cannot be added.
        """
        for provider, example in sorted(providers.items()):
            match = _STATE_PROVIDER.fullmatch(provider)
            if match is None or match["source"] == BUILT_IN:
                continue
            if match["module"]:
                self._check_module(match["module"], example)
            else:
                self._add_provider(match["source"], match["alias"] or "")

    def _check_module(self, module: str, example: Address) -> None:
        """Raise UserError unless the old configuration calls the module that configures this provider itself."""
        if not self.old.declares(tuple(step for step in example if step.type == "module")):
            raise UserError(
                f"`{outside(spell_address(example))}` can only be destroyed with the provider that `{module.rstrip('.')}` "
                f"configures, and the old configuration does not call this module.",
                next_step="Remove that module's resources by a pull request first, then its call, then revert.",
            )

    def _add_provider(self, source: str, alias: str) -> None:
        old_name = self._local_name(source, self._old_required)
        new_name = self._local_name(source, self._new_required)
        used = self._old_uses(source)
        if old_name is None:
            old_name = self._require(source, new_name)
        item = next(self._configured(self.new, new_name, alias), None)
        has = any(self._configured(self.old, old_name, alias))
        if has or item is None or (used and not alias):
            return
        label = f'`provider "{new_name}"`' + (f" (alias `{alias}`)" if alias else "")
        if not item.text or any(each.overrides for each in self._configured(self.new, new_name, alias)):
            raise UserError(
                f"Objects in the state need {label}, which the old configuration does not have, and which "
                f"`{outside(item.file)}` has in JSON or in an override file: it cannot be copied from there.",
                next_step="Write it as one ordinary block, apply that, then revert.",
            )
        self.blocks.append(re.sub(r'provider\s+"?[\w-]+"?', f'provider "{old_name}"', item.text, count=1))
        self._add_references(item.text, label)

    @staticmethod
    def _configured(module: Module, name: str | None, alias: str) -> Iterator[Item]:
        return (
            item
            for item in module.named("provider")
            if item.block.labels == (name,) and (item.block.text("alias") or "") == alias
        )

    def _local_name(self, source: str, required: Mapping[str, Requirement]) -> str | None:
        """Return a provider's local name: from `required_providers`, or its type if that implies the source."""
        names = [name for name, entry in required.items() if entry.source == source]
        type_ = source.rsplit("/", 1)[1]
        implied = source == full_source(f"hashicorp/{type_}", self.flavour) and type_ not in required
        return names[0] if names else type_ if implied else None

    def _old_uses(self, source: str) -> bool:
        """Whether the old configuration has resources of this provider; True if a module that is not local may have."""
        for module in self.old.every():
            required = required_providers(module, self.flavour)
            for item in module.named("resource", "data"):
                name = provider_name(item.block)
                entry = required.get(name)
                if (entry.source if entry else full_source(f"hashicorp/{name}", self.flavour)) == source:
                    return True
            if None in module.calls.values():
                return True
        return False

    def _require(self, source: str, name: str | None) -> str | None:
        if name is None:
            self.warnings.append(f"Neither configuration requires `{source}`, which the state still needs.")
            return None
        if name in self._old_required:
            raise UserError(
                f"`{name}` is `{source}` in the newer configuration and `{self._old_required[name].source}` in the old "
                f"one, so the old one cannot have both.",
                next_step=f"Remove the resources of `{source}` by a pull request first, then revert.",
            )
        self.required[name] = self._new_required[name].text
        self.sources.add(source)
        return name

    def _add_references(self, text: str, label: str) -> None:
        """Add the variables and locals that a copied text refers to. Raises UserError for other missing references."""
        for item in self.new.named("resource"):
            labels = item.block.labels
            pattern = rf"(?<![\w.-]){re.escape('.'.join(labels))}\b"
            if re.search(pattern, text) and not self.old.has("resource", *labels):
                raise self._missing(label, ".".join(labels))
        for kind, name, attribute in _REFERENCE.findall(text):
            if kind == "data" and not self.old.has("data", name, attribute):
                raise self._missing(label, f"data.{name}.{attribute}")
            if kind == "module" and name not in self.old.calls:
                raise self._missing(label, f"module.{name}")
            if kind in ("var", "local") and (kind, name) not in self._added:
                self._added.add((kind, name))
                (self._add_variable if kind == "var" else self._add_local)(name, label)

    def _add_variable(self, name: str, label: str) -> None:
        if self.old.has("variable", name):
            return
        item = next((each for each in self.new.named("variable") if each.block.labels == (name,)), None)
        if item is None or not item.text:
            raise self._missing(label, f"var.{name}")
        self.blocks.append(item.text)
        if "default" not in item.block.attributes:
            self.warnings.append(
                f"{label} needs `var.{name}`, which the old configuration does not have: set its value by "
                f"`TF_VAR_{name}`."
            )

    def _add_local(self, name: str, label: str) -> None:
        if any(name in item.block.attributes for item in self.old.named("locals")):
            return
        for item in self.new.named("locals"):
            if tokens := item.block.attributes.get(name):
                value = expression_text(tokens, item)
                if not item.text:
                    break
                self.blocks.append(f"locals {{\n  {name} = {value}\n}}")
                self._add_references(value, label)
                return
        raise self._missing(label, f"local.{name}")

    @staticmethod
    def _missing(label: str, name: str) -> UserError:
        return UserError(
            f"Objects in the state can only be destroyed by {label}, which refers to `{name}`; the old configuration "
            f"has neither.",
            next_step="Remove these objects by a pull request that keeps the provider, then revert.",
        )
