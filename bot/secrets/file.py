"""Read the secrets file: TOML, lines such as `STAGING_TOKEN = "…"`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bot.domain.ports.secrets import SecretsUnavailable
from bot.secrets.values import as_text

EXAMPLE = 'STAGING_TOKEN = "…"'


def read_file(path: Path) -> dict[str, str]:
    """Return the variables in the file; none if there is no such file. Raises SecretsUnavailable, which quotes no value."""
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsUnavailable(
            f"{path} cannot be read: {error.strerror}.", next_step="Let the bot's user read it."
        ) from None
    except ValueError:
        raise SecretsUnavailable(
            f"{path} is not valid TOML.", next_step=f"Write lines such as {EXAMPLE}."
        ) from None
    found = {}
    for name, value in content.items():
        text = as_text(value)
        if text is None:
            raise SecretsUnavailable(
                f"`{name}` in {path} is not a text, a number or a boolean.",
                next_step=f"Write lines such as {EXAMPLE}.",
            )
        found[name] = text
    return found
