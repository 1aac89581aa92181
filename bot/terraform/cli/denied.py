"""Explain an error that the sandbox caused."""

from __future__ import annotations

from collections.abc import Sequence

SANDBOXED = (
    "Terraform runs in a sandbox: it can read its checkout, its modules and providers, system libraries and certificates, "
    "and nothing else on this machine."
)


def explained(diagnostics: Sequence[str]) -> tuple[str, ...]:
    """Return the diagnostics, with what a plan may read after the first that says "permission denied"."""
    found = list(diagnostics)
    for index, text in enumerate(found):
        if "permission denied" in text.lower():
            found[index] = f"{text.rstrip()}\n{SANDBOXED}"
            break
    return tuple(found)
