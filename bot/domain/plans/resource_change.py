"""Changes of resources and attributes, as plans, state comparisons and drift checks report them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from bot.domain.plans.summary_json import AttributeChangeJson, ResourceChangeJson

Action = Literal["delete", "replace", "update", "create", "import", "move", "forget", "read"]

ORDER: tuple[Action, ...] = ("delete", "replace", "update", "create", "import", "move", "forget", "read")
"""The order in which changes are shown: destroys and replacements first."""

_SYMBOLS: dict[Action, str] = {
    "delete": "-",
    "replace": "-/+",
    "update": "~",
    "create": "+",
    "import": "&",
    "move": ">",
    "forget": ".",
    "read": "<=",
}


@dataclass(frozen=True)
class AttributeChange:
    """The change of one attribute.

    path: as in HCL (`tags.env`, `ports[0]`). before, after: HCL literals without secrets, to compare reports with each
    other: long ones are cut. `before` is empty for a new attribute, `after` for a removed one.
    detail: the lines of a change that does not fit in one line; the first names it, the others are indented. omitted: the
    number of changed lines that `detail` lacks in an abridged summary.
    """

    path: str
    before: str
    after: str
    forces_replacement: bool = False
    detail: tuple[str, ...] = ()
    omitted: int = 0

    @classmethod
    def from_dict(cls, content: AttributeChangeJson) -> AttributeChange:
        return cls(**_known(cls, content) | {"detail": tuple(content.get("detail", ()))})

    def to_dict(self) -> AttributeChangeJson:
        """Return plain JSON for `from_dict`; without the keys that most changes do not need."""
        detail: AttributeChangeJson = {"detail": self.detail, "omitted": self.omitted} if self.detail else {}
        return {
            "path": self.path,
            "before": self.before,
            "after": self.after,
            "forces_replacement": self.forces_replacement,
            **detail,
        }

    @property
    def lines(self) -> tuple[str, ...]:
        """The change as Terraform writes it: `~ size = "s" -> "m"  # forces replacement`."""
        if not self.detail:
            return (self._line,)
        head = f"{self.detail[0]}  # forces replacement" if self.forces_replacement else self.detail[0]
        rest = (omitted_lines(self.omitted),) if self.omitted else ()
        return (head, *self.detail[1:], *rest)

    @property
    def changed(self) -> int:
        """How many lines say what changes, those omitted included."""
        return sum(map(is_change, self.lines)) + self.omitted

    @property
    def _line(self) -> str:
        if not self.before:
            text = f"+ {self.path} = {self.after}"
        elif not self.after:
            text = f"- {self.path} = {self.before}"
        elif self.before == self.after:
            text = f"~ {self.path} = {self.after}"
        else:
            text = f"~ {self.path} = {self.before} -> {self.after}"
        return f"{text}  # forces replacement" if self.forces_replacement else text


@dataclass(frozen=True)
class ResourceChange:
    """The change of one resource.

    An update that also imports or moves is an `update` with `import_id` or `previous_address` set. `reason` is
    Terraform's own, such as `replace_because_cannot_update`. module: the address of its module, "" for the root module.
    """

    address: str
    type: str
    action: Action
    attributes: tuple[AttributeChange, ...] = ()
    reason: str = ""
    previous_address: str = ""
    import_id: str = ""
    create_first: bool = False
    module: str = ""

    @classmethod
    def from_dict(cls, content: ResourceChangeJson) -> ResourceChange:
        attributes = tuple(AttributeChange.from_dict(one) for one in content.get("attributes", ()))
        return cls(**_known(cls, content) | {"attributes": attributes})

    def to_dict(self) -> ResourceChangeJson:
        """Return plain JSON for `from_dict`."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return cast("ResourceChangeJson", facts | {"attributes": [one.to_dict() for one in self.attributes]})

    @property
    def symbol(self) -> str:
        return "+/-" if self.create_first else _SYMBOLS[self.action]

    @property
    def destroys(self) -> bool:
        return self.action in ("delete", "replace")

    @property
    def lines(self) -> tuple[str, ...]:
        """`-/+ address`, followed by the indented lines of each attribute."""
        notes = f" (moved from {self.previous_address})" if self.previous_address else ""
        notes += f" (import {json.dumps(self.import_id)})" if self.import_id else ""
        body = (f"    {line}" for attribute in self.attributes for line in attribute.lines)
        return (f"{self.symbol} {self.address}{notes}", *body)

    @property
    def changed(self) -> int:
        """How many lines say what changes, those omitted included."""
        return is_change(f"{self.symbol} ") + sum(attribute.changed for attribute in self.attributes)

    @property
    def name(self) -> str:
        """The address within its module."""
        return self.address.removeprefix(f"{self.module}.") if self.module else self.address


def is_change(line: str) -> bool:
    """Whether a line says what changes. Others are unchanged lines, or count what is not shown."""
    return line.lstrip(" ")[:2] in ("+ ", "- ", "~ ")


def omitted_lines(number: int) -> str:
    return f"      … {number:,} more changed line{'' if number == 1 else 's'}"


def _known(
    cls: type[AttributeChange] | type[ResourceChange], content: Mapping[str, object]
) -> dict[str, Any]:
    """Return the keys that this version knows, so that rows of a later version can be read."""
    return {key: value for key, value in content.items() if key in cls.__dataclass_fields__}
