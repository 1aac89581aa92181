"""Mirrors of a person's own clone, for plans of what they work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.domain.ports.git import Remote
from bot.git.mirrors import Mirrors


class LocalMirrors(Mirrors):
    """Mirrors that are fetched from a bare repository on this machine, whatever a remote's address is.

    bare: see WorkingCopy.publish. The rest as for Mirrors.
    """

    def __init__(self, data_dir: Path, bare: Path, environment: Mapping[str, str]) -> None:
        super().__init__(data_dir, environment=environment, allow_file=True)
        self._url = f"file://{bare}"

    def fetch(self, remote: Remote, commits: Sequence[str], *, refs: Sequence[str] = ()) -> None:
        super().fetch(replace(remote, url=self._url, credentials=None), commits, refs=refs)

    def tip(self, remote: Remote, branch: str) -> str:
        return super().tip(replace(remote, url=self._url, credentials=None), branch)
