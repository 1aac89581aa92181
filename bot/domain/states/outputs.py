"""A target's outputs, and the placeholders of a policy that refer to them: `{output.url}`, `{env}`, `{pr}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.plans import read_json
from bot.domain.target import Target

_PLACEHOLDER = re.compile(r"\{(output\.[^{}\s]+|url|env|stack|instance|pr)\}")


class Unfilled(Exception):
    """A placeholder cannot be filled; the text says why."""


@dataclass(frozen=True)
class Output:
    """An output of the root module, from `terraform output -json` or the state."""

    value: Any
    sensitive: bool = False

    @property
    def text(self) -> str:
        """A string as it is, anything else as JSON."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)


Outputs = Mapping[str, Output]


def outputs_in(content: Mapping[str, Any]) -> Outputs:
    """Read outputs from name → `{value, type, sensitive}`."""
    return {
        name: Output(entry["value"], bool(entry.get("sensitive")))
        for name, entry in content.items()
        if isinstance(entry, dict) and entry.get("value") is not None
    }


def outputs_of(state: bytes | None) -> Outputs | None:
    """Read outputs from a state, without running Terraform; None if OpenTofu has encrypted it, empty if there is no state."""
    document = read_json(state) if state else {}
    if "encrypted_data" in document:
        return None
    return outputs_in(document.get("outputs") or {})


def fill_outputs(text: str, target: Target, pull: int, outputs: Outputs, url: str = "") -> str:
    """Return `text` with its placeholders filled; other braces are kept. `url` fills `{url}`.

    Raises Unfilled if an output is missing, or sensitive: addresses and commands are shown to people.
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
                f"output `{output}` is sensitive and would be shown here; list it in `artifacts`, and a command can read "
                f"it from the file named by its variable"
            )
        return outputs[output].text

    return _PLACEHOLDER.sub(value, text)


def url_of(pattern: str, target: Target, pull: int, outputs: Outputs) -> str:
    """Return an environment's `url` with its placeholders filled, or "" if the result is not a web address."""
    try:
        url = fill_outputs(pattern, target, pull, outputs)
    except Unfilled:
        return ""
    return url if re.fullmatch(r"https?://[^\s<>|\"'`\\]{1,2000}", url) else ""


def sensitive_texts(outputs: Outputs) -> tuple[str, ...]:
    """Return what must not be shown: each sensitive output, and each string within one."""
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
