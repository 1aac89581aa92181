"""Terraform as the services see it: typed calls, a way to watch and to stop them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Engine:
    """The executable that runs. A saved plan is bound to `identity`: another engine refuses it."""

    executable: str
    version: str
    flavour: Literal["terraform", "opentofu"]
    embedded: bool = False

    @property
    def identity(self) -> str:
        return f"{self.flavour} {self.version}"


@dataclass(frozen=True)
class Place:
    """Where a call happens and what it may know.

    root: absolute path of the root module's directory.
    env: variables for this call alone (the target's secrets with the prefix taken off, the backend's credentials);
        the adapter adds its allowlist and nothing else of the bot's environment.
    workspace: the Terraform workspace, or empty for `default`.
    git_credentials: (url prefix, user, password) for private modules; given to `init` only.
    """

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)
    workspace: str = ""
    git_credentials: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Progress:
    """One thing that Terraform said: a line for people (already redacted), and for a resource what happens to it."""

    line: str
    address: str = ""
    state: Literal["", "planned", "started", "progress", "done", "failed"] = ""
    action: str = ""
    elapsed: float = 0.0


@dataclass
class Control:
    """How a call is watched and stopped.

    on_progress: called from the reading thread for each line.
    cancelled: asked a few times a second; True sends Terraform one SIGINT.
    timeout: seconds until it is interrupted in the same way.
    grace: seconds after the one SIGINT until it is killed hard.
    journal: a directory for the supervisor's files (`pid`, `exit`): whoever comes back after a crash reads there
        whether the process lives and how it ended.
    secrets: values to hide in all output.
    """

    journal: Path
    on_progress: Callable[[Progress], None] = lambda _progress: None
    cancelled: Callable[[], bool] = lambda: False
    timeout: float = 3600.0
    grace: float = 300.0
    secrets: Sequence[str] = ()


@dataclass(frozen=True)
class Ended:
    """How a Terraform process ended. `log` is redacted and bounded (its middle cut when too long)."""

    exit_code: int
    log: str
    interrupted: bool = False
    timed_out: bool = False
    diagnostics: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.interrupted and not self.timed_out


@dataclass(frozen=True)
class Backend:
    """Where a target's state is: what `init` is given, and what is read back after it.

    kind: `http`, `s3`, `local`…; config: non-secret settings (address, bucket, key…), passed by -backend-config.
    env: credentials, passed by environment only. declared: the repository itself has the backend block
    (else an override file of ours declares an empty one of this kind).
    """

    kind: str
    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    declared: bool = False


@dataclass(frozen=True)
class Initialised:
    """What `init` left. `kind` and `config` are read back from .terraform/terraform.tfstate; `workspace` is the one
    that the next call would work in (`default` where none was chosen)."""

    ended: Ended
    kind: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    reused: bool = False
    workspace: str = "default"


@dataclass(frozen=True)
class Planned:
    """`json` is the whole of `show -json` (secret: never leaves unredacted); `has_changes` includes outputs' changes.

    A plan with changes has ended with 0: Terraform's 2 is `has_changes`.
    """

    ended: Ended
    has_changes: bool = False
    json: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Additions:
    """What an older configuration needs beside itself to go back to, so that nothing is destroyed for its name alone.

    files: name → content, to be written into its root module before `init` in place of what is there, links removed
        first; empty where it needs nothing.
    renames: address now → address then. forgets: addresses of what the newer release imported: it leaves the state and
        stays in the world. outside: addresses of what the newer release forgot, and what the older one would create a
        second time. warnings: whole sentences for people.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    forgets: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class TerraformFailed(Exception):
    """A call whose result has no place for a failure did not end well; `ended` says how."""

    def __init__(self, what: str, ended: Ended) -> None:
        reason = ended.diagnostics[0] if ended.diagnostics else f"exit code {ended.exit_code}"
        super().__init__(f"{what}: {reason}")
        self.ended = ended


class Terraform(Protocol):
    """Typed calls. None raises for a failing Terraform where the result can say how it ended."""

    @property
    def engine(self) -> Engine: ...

    def declared_backend(self, root: Path) -> str:
        """The kind of the backend that the files in `root` declare (`s3`, `cloud`, …), or empty. Raises UserError where
        an override file of the repository decides about it."""
        ...

    def backend_block(self, root: Path) -> tuple[str, Mapping[str, str]]:
        """(kind, settings) of that block as they are written, settings may be secret; ("", {}) where there is none.
        Raises UserError where a file cannot be read."""
        ...

    def module_users(
        self, files: Sequence[str], read: Callable[[str], bytes | None], roots: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Directory of a local module → the roots that use it, in a tree of which `files` are all paths."""
        ...

    def revert_additions(
        self, old: Path, new: Path, *, then: bytes, now: bytes, imported: Collection[str] | None = None
    ) -> Additions:
        """What a plan of `old` against the state `now` needs beside `old` itself.

        old, new: directories of the root module, checked out as of the release to go back to and of the one that was
        applied last. then: the state that the former left (b"" where it is not known: renames are then found by
        `moved` blocks alone); now: the current state. imported: the addresses that the newer releases' plans imported;
        None where that is not known: the `import` blocks say it then, less exactly where they have `for_each`. Nothing
        is written. Raises UserError where the old configuration cannot be planned against this state, with the reason
        and the way out.
        """
        ...

    def outcome(self, journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
        """What became of the apply (or state push) that had this journal, whoever started it: its exit code where
        it `ended`; `lost` where it never began, or is gone without a word. Other calls keep their journals apart."""
        ...

    def collect(self) -> int:
        """Remove kept initialisations that have not been used for long; returns how many."""
        ...

    def init(self, place: Place, backend: Backend, control: Control) -> Initialised:
        """Initialise `place.root`, or do nothing where lock file, modules, backend and engine are as at the last one."""
        ...

    def plan(
        self,
        place: Place,
        out: Path,
        control: Control,
        *,
        var_files: Sequence[Path] = (),
        destroy: bool = False,
        refresh_only: bool = False,
        parallelism: int | None = None,
    ) -> Planned:
        """`plan -out`, then `show -json` once. `var_files` that do not exist are an error of Terraform's."""
        ...

    def apply(self, place: Place, plan: Path, control: Control, *, parallelism: int | None = None) -> Ended:
        """Apply exactly the saved plan."""
        ...

    def outputs(self, place: Place, control: Control) -> Mapping[str, Any]:
        """`output -json`: name → {value, type, sensitive}. Empty where there is no state. Raises TerraformFailed."""
        ...

    def state_pull(self, place: Place, control: Control) -> bytes:
        """The current state as the backend has it; b"" where there is none. Raises TerraformFailed."""
        ...

    def state_push(self, place: Place, state: Path, control: Control) -> Ended:
        """Push a state file (a kept `errored.tfstate`)."""
        ...
