"""Write what differs between two values: JSON within strings as JSON, lists by element, texts by line or word.

Every changed part is written, each with its path; unchanged parts are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.domain.plans.literal import exceeds, literal, spell_path
from bot.domain.plans.resource_change import is_change
from bot.domain.plans.text_diff import diff_lines, diff_words, elided, marked
from bot.domain.plans.value_diff import Walk, paired
from bot.domain.plans.values import Steps, Tree, identity, json_within, texts
from bot.domain.redaction import Redactor, redact_json

WIDTH = 120
"""Characters of a change that is written in one line, whatever it consists of."""
FOLD = 240
"""Characters after which a line is continued on the next one."""
_INDENT = "    "


@dataclass(frozen=True)
class Writer:
    """Writes differences as lines: a sign, the path and the value, and below it, indented, the parts that differ.

    redact: made the trees; removes its tags from what is written.
    """

    redact: Redactor = field(default_factory=Redactor)

    def lines(self, name: str, before: Tree, after: Tree) -> Iterator[str]:
        """Write the change of one value. Long lines are folded: what follows `↳` continues the line above."""
        for line in self._change(name, before, after):
            yield from fold(line)

    def literal(self, value: Tree) -> str:
        return literal(value, self.redact.clear)

    def _short(self, value: Tree) -> str | None:
        """Return a value in one line; None if that takes more than WIDTH characters."""
        if exceeds(value, WIDTH, self.redact.clear):
            return None
        text = self.literal(value)
        return text if len(text) <= WIDTH else None

    def _change(self, name: str, before: Tree, after: Tree) -> Iterator[str]:
        if before is None or after is None:
            yield from self._whole("-" if after is None else "+", name, before if after is None else after)
            return
        old, new = self._short(before), self._short(after)
        if old is not None and new is not None and len(old) + len(new) <= WIDTH:
            yield f"~ {name} = {new}" if old == new else f"~ {name} = {old} -> {new}"
            return
        documents = self._json(before), self._json(after)
        if documents[0] is not None and documents[1] is not None:
            if identity(documents[0]) != identity(documents[1]):
                yield f"~ {name} (JSON)"
                yield from _indented(self._parts(*documents))
                return
            yield f"~ {name} (JSON: only the formatting changes)"
        elif isinstance(before, list) and isinstance(after, list):
            yield f"~ {name}"
            yield from _indented(self._parts(before, after))
        elif isinstance(before, str) and isinstance(after, str):
            yield f"~ {name}"
            yield from _indented(self._text(before, after))
        else:
            yield from self._whole("-", name, before)
            yield from self._whole("+", name, after)

    def _text(self, before: str, after: str) -> Iterator[str]:
        compare = diff_lines if "\n" in before or "\n" in after else diff_words
        return compare(before, after, self.redact.clear)

    def _parts(self, before: Tree, after: Tree) -> Iterator[str]:
        """Write what differs within maps or lists."""
        walk = Walk()
        if isinstance(before, list) and isinstance(after, list):
            for old, new in paired(before, after):
                one, other = None if old is None else before[old], None if new is None else after[new]
                yield from self._leaves(walk, (new if new is not None else old or 0,), one, other)
        else:
            yield from self._leaves(walk, (), before, after)
        if walk.unchanged:
            yield elided(walk.unchanged, "value")

    def _leaves(self, walk: Walk, path: Steps, before: Tree, after: Tree) -> Iterator[str]:
        for leaf in walk.leaves(path, before, after):
            yield from self._change(self.path(leaf.path), leaf.before, leaf.after)

    def path(self, path: Steps) -> str:
        """Spell a path without tags; "(all)" is the whole value."""
        clear = self.redact.clear
        return spell_path(tuple(clear(step) if isinstance(step, str) else step for step in path)) or "(all)"

    def _whole(self, sign: str, name: str, value: Tree) -> Iterator[str]:
        """Write a value that is added or removed, all of it."""
        short = self._short(value)
        if short is not None:
            yield f"{sign} {name} = {short}"
        elif (document := self._json(value)) is not None:
            yield f"{sign} {name} (JSON)"
            yield from _indented(self._children(sign, document))
        elif isinstance(value, dict | list):
            yield f"{sign} {name}"
            yield from _indented(self._children(sign, value))
        elif isinstance(value, str) and "\n" in value:
            yield f"{sign} {name}"
            yield from _indented(marked(sign, self.redact.clear(line)) for line in value.split("\n"))
        else:
            yield f"{sign} {name} = {self.literal(value)}"

    def _children(self, sign: str, value: Tree) -> Iterator[str]:
        items: Iterable[tuple[str | int, Tree]] = (
            value.items() if isinstance(value, dict) else enumerate(value)
        )
        for key, item in items:
            yield from self._whole(sign, self.path((key,)), item)

    def _json(self, value: Tree) -> Tree | None:
        """Return the document within a string, redacted again if an escaped secret is readable only now."""
        found = json_within(value)
        if found is None or "\\" not in value:
            return found
        every = "\n".join(texts(found))
        return found if self.redact(every) == every else redact_json(found, self.redact.tagged)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)


def fold(line: str) -> Iterator[str]:
    """Yield a line in pieces of at most FOLD characters; the later ones have its sign."""
    if len(line) <= FOLD:
        yield line
        return
    text = line.lstrip(" ")
    indent = " " * min(len(line) - len(text), FOLD // 2)
    sign = f"{text[0]} " if is_change(text) else ""
    room = FOLD - len(indent) - len("+ ↳ ")
    text = text[len(sign) :]
    continued = ""
    while text:
        end = min(len(text), room)
        if end < len(text) and (space := text.rfind(" ", room // 2, room)) > 0:
            end = space + 1
        yield f"{indent}{sign or continued[:2]}{continued[2:]}{text[:end]}"
        text, continued = text[end:], "  ↳ "
