"""The expressions of workflows, as far as ours use them: paths into contexts, texts, `==`, `!=`, `!`, `&&`, `||`, and the
functions `success`, `failure`, `cancelled` and `always`. Anything else is an error, so that a new one is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<word>[A-Za-z_][\w.-]*(?:\(\))?)|(?P<sign>&&|\|\||==|!=|!|\(|\)))"
)
_WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """Replace each `${{ … }}`; what does not exist is empty."""

    def value(found: re.Match[str]) -> str:
        result = _Parser(found[1], contexts, failed=False).parse()
        return "" if result is None else str(result).lower() if isinstance(result, bool) else str(result)

    return _WHOLE.sub(value, text)


def evaluate(condition: str, contexts: Mapping[str, Any], *, failed: bool) -> bool:
    """Whether a condition holds. failed: whether an earlier step of the job failed."""
    bare = _WHOLE.fullmatch(condition.strip())
    return bool(_Parser(bare[1] if bare else condition, contexts, failed=failed).parse())


class _Parser:
    def __init__(self, text: str, contexts: Mapping[str, Any], *, failed: bool) -> None:
        self._contexts, self._failed = contexts, failed
        self._tokens: list[str] = []
        text = text.strip()
        while text:
            found = _TOKEN.match(text)
            assert found, f"not an expression: {text!r}"
            self._tokens.append(found[0].strip())
            text = text[found.end() :].strip()

    def parse(self) -> Any:
        result = self._or()
        assert not self._tokens
        return result

    def _take(self, *signs: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in signs else ""

    def _or(self) -> Any:
        result = self._and()
        while self._take("||"):
            right = self._and()
            result = result or right
        return result

    def _and(self) -> Any:
        result = self._equal()
        while self._take("&&"):
            right = self._equal()
            result = result and right
        return result

    def _equal(self) -> Any:
        result = self._unary()
        while sign := self._take("==", "!="):
            right = self._unary()
            result = (_plain(result) == _plain(right)) == (sign == "==")
        return result

    def _unary(self) -> Any:
        if self._take("!"):
            return not self._unary()
        if self._take("("):
            result = self._or()
            assert self._take(")")
            return result
        return self._value(self._tokens.pop(0))

    def _value(self, word: str) -> Any:
        if word.startswith("'"):
            return word[1:-1]
        known = {"true": True, "false": False, "success()": not self._failed, "failure()": self._failed}
        known |= {"cancelled()": False, "always()": True}
        if word in known:
            return known[word]
        found: Any = self._contexts
        first, *_ = word.split(".")
        assert first in self._contexts, f"no context {first}"
        for part in word.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def _plain(value: Any) -> Any:
    """GitHub compares what does not exist like an empty text, and texts without regard to case."""
    return "" if value is None else value.lower() if isinstance(value, str) else value
