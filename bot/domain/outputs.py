"""A target's outputs, and the texts of a policy that name them: `{output.url}`, `{env}`, `{pr}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain import json_text
from bot.domain.target import Target

_PLACEHOLDER = re.compile(r"\{(output\.[^{}\s]+|url|env|stack|instance|pr)\}")


class Unfilled(Exception):
    """A placeholder has no value that may stand there; the text says why."""


@dataclass(frozen=True)
class Output:
    """An output of the root module, as `terraform output -json` or the state has it."""

    value: Any
    sensitive: bool = False

    @property
    def text(self) -> str:
        """A text as it is, anything else as JSON."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)


Outputs = Mapping[str, Output]


def outputs_in(content: Mapping[str, Any]) -> Outputs:
    """From name → `{value, type, sensitive}`."""
    return {
        name: Output(entry["value"], bool(entry.get("sensitive")))
        for name, entry in content.items()
        if isinstance(entry, dict) and entry.get("value") is not None
    }


def outputs_of(state: bytes | None) -> Outputs | None:
    """Of a state's bytes, without a process; None where OpenTofu has encrypted it. Nothing where there is no state."""
    document = json_text.read(state) if state else {}
    if "encrypted_data" in document:
        return None
    return outputs_in(document.get("outputs") or {})


def fill(text: str, target: Target, pull: int, outputs: Outputs, url: str = "") -> str:
    """`text` with its placeholders filled in; braces that are none of ours stay. `url` fills `{url}`.

    Raises Unfilled where an output is missing, or is sensitive: an address or a command's words are shown to people.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not name.startswith("output."):
            plain = {
                "url": url,
                "env": target.environment,
                "stack": target.stack,
                "instance": target.instance,
                "pr": str(pull),
            }
            if name == "url" and not url:
                raise Unfilled("`{url}` is empty: the environment has no `url`")
            return plain[name]
        output = name.removeprefix("output.")
        if output not in outputs:
            raise Unfilled(f"there is no output `{output}`")
        if outputs[output].sensitive:
            raise Unfilled(
                f"output `{output}` is sensitive, and this would show it; name it in `artifacts`, and a command "
                f"finds it in the file that its variable names"
            )
        return outputs[output].text

    return _PLACEHOLDER.sub(value, text)


def url_of(pattern: str, target: Target, pull: int, outputs: Outputs) -> str:
    """Where people find what was applied: an environment's `url`, filled in; "" where that gives no web address."""
    try:
        url = fill(pattern, target, pull, outputs)
    except Unfilled:
        return ""
    return url if re.fullmatch(r"https?://[^\s<>|\"'`\\]{1,2000}", url) else ""


def hidden_in(outputs: Outputs) -> tuple[str, ...]:
    """What no text may show: each sensitive output, and each text within one."""
    found: list[str] = []
    for output in outputs.values():
        if output.sensitive:
            found += [output.text, *_texts(output.value)]
    return tuple(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
