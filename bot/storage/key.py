"""Load the secret key: the configured one, else one that is generated once and stored in the data directory."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_FILE = "secret.key"


def load_key(value: str | None, data_dir: Path) -> str:
    """Return `value` if set, else the content of `data_dir/secret.key`, which is created if it is missing.

    Only the file's owner can read it (mode 0600). It is created atomically: several processes that start at the same
    time all use the key of the first. Raises OSError if the directory is not writable.
    """
    if value and value.strip():
        return value.strip()
    path = Path(data_dir) / KEY_FILE
    if not path.exists():
        _create(path)
    return path.read_text(encoding="ascii").strip()


def stored_keys(data_dir: Path) -> list[str]:
    """Return the keys in `data_dir/secret.key`, to redact them from output; none if it does not exist or is not readable."""
    try:
        text = (Path(data_dir) / KEY_FILE).read_text(encoding="ascii")
    except (OSError, ValueError):
        return []
    return [key.strip() for key in text.split(",") if key.strip()]


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)  # unlike rename, it never replaces the key of another process
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
