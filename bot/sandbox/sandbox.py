"""The sandbox as it is set up: its kind, and what every process in it may read and write."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bot.errors import UserError
from bot.sandbox import bubblewrap, landlock
from bot.sandbox.system_paths import WRITABLE, system_paths

Kind = Literal["landlock", "bubblewrap", "off"]

_HOW = "Set TOWPATH_SANDBOX=bubblewrap (with bwrap installed), or TOWPATH_SANDBOX=off to let plans read what the bot can read."


@dataclass(frozen=True)
class Access:
    """What one process may see. Absolute paths; what is below a directory belongs to it.

    readable: to read, list and run. writable: the same, and to change.
    """

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()

    def with_readable(self, *paths: Path) -> Access:
        return replace(self, readable=(*self.readable, *map(str, paths)))

    def with_writable(self, *paths: Path) -> Access:
        return replace(self, writable=(*self.writable, *map(str, paths)))


@dataclass(frozen=True)
class Confined:
    """A process to start. landlock: what it confines itself to before it runs `argv`; None if it must not. bubblewrap:
    whether `argv` is a command line of bubblewrap's."""

    argv: tuple[str, ...]
    landlock: Access | None = None
    bubblewrap: bool = False

    @property
    def rules(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The arguments of `landlock.confine`, for JSON; None if the process must not call it."""
        return (self.landlock.readable, self.landlock.writable) if self.landlock else None


@dataclass(frozen=True)
class Sandbox:
    """How processes are confined. base: what each of them may see; a call adds what it needs. bwrap: the path of
    bubblewrap's program, if that is used."""

    kind: Kind = "off"
    base: Access = Access()
    bwrap: str = ""

    def confine(self, argv: Sequence[str], access: Access, cwd: Path) -> Confined:
        """Return how to run `argv` in `cwd` so that it sees only that."""
        if self.kind == "bubblewrap":
            line = bubblewrap.command_line(self.bwrap, argv, access.readable, access.writable, cwd)
            return Confined(line, bubblewrap=True)
        return Confined(tuple(argv), access if self.kind == "landlock" else None)

    def describe(self) -> str:
        """Return what `towpath doctor` and the console say about it."""
        if self.kind == "off":
            return "OFF: plans can read the bot's files and keys"
        return f"Landlock ABI {landlock.abi()}" if self.kind == "landlock" else "bubblewrap"


def open_sandbox(
    kind: Kind, environment: Mapping[str, str], *, also: Access, hidden: Sequence[Path]
) -> Sandbox:
    """Return the sandbox that the operator chose.

    environment: the bot's own, for PATH and certificates. also: further paths that every process may see. hidden: what
    must stay out of sight, such as the data directory. Raises UserError if this machine cannot provide the sandbox, or if
    something hidden is in sight.
    """
    if kind == "off":
        return Sandbox()
    if kind == "landlock" and not landlock.abi():
        raise UserError(
            "This kernel has no Landlock, so plans could read the bot's files and keys.", next_step=_HOW
        )
    bwrap = shutil.which("bwrap", path=environment.get("PATH")) or ""
    if kind == "bubblewrap" and not bwrap:
        raise UserError(
            "There is no `bwrap` on PATH.", next_step="Install bubblewrap, or unset TOWPATH_SANDBOX."
        )
    base = Access((*system_paths(environment), *also.readable), (*WRITABLE, *also.writable))
    for secret in hidden:
        _refuse_visible(secret.resolve(), base)
    return Sandbox(kind, base, bwrap)


def _refuse_visible(secret: Path, base: Access) -> None:
    """Raise UserError if a hidden path is below one that every process may see."""
    for path in (*base.readable, *base.writable):
        if secret.is_relative_to(Path(path).resolve()):
            raise UserError(
                f"`{secret}` is below `{path}`, which Terraform may read.",
                next_step="Move it, for example to /var/lib/towpath, and set TOWPATH_DATA_DIR or the file's setting.",
            )
