"""The secret key: the one that is given, else one made once and kept beside the data."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_FILE = "secret.key"


def load_key(value: str | None, data_dir: Path) -> str:
    """`value` where one is given, else what `data_dir/secret.key` holds, which is made first where it is missing.

    The file is readable by its owner alone (mode 0600). It appears whole or not at all, and of several processes that
    start at once the first one's key is everybody's. Raises OSError where the directory cannot be written.
    """
    if value and value.strip():
        return value.strip()
    path = Path(data_dir) / KEY_FILE
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(
            FileExistsError
        ):  # link, unlike rename, never replaces the key that another process made
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
