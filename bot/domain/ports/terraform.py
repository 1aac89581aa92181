"""Port for Terraform: typed calls, with progress and a way to interrupt them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from bot.domain.why import Diagnostic


@dataclass(frozen=True)
class Engine:
    """The executable to run. A saved plan is bound to `identity`: another engine refuses to apply it."""

    executable: str
    version: str
    flavour: Literal["terraform", "opentofu"]
    embedded: bool = False

    @property
    def identity(self) -> str:
        return f"{self.flavour} {self.version}"


@dataclass(frozen=True)
class GitAccess:
    """Credentials for modules on one server. prefix: its URL. repositories: those that the credentials read; none
    where that is not known."""

    prefix: str
    user: str
    password: str = field(repr=False)
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkDir:
    """The directory and environment of a call.

    root: absolute path of the root module's directory. worktree: of the repository's top, below which Terraform may write
        and from which messages name files; None for `root`. readable: further files that it may read.
    env: variables for this call (the target's secrets without their prefix, the backend's credentials); of the bot's
        own environment the adapter adds only an allowlist.
    workspace: the Terraform workspace, or empty for `default`.
    git_access: for private modules; only `init` gets it.
    providers: the only providers that may be used, as bot.domain.policy.providers has them; None for all.
    settings: names of variables in `env` that are no secrets, whatever they are called.
    """

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)
    workspace: str = ""
    git_access: GitAccess | None = None
    worktree: Path | None = None
    readable: tuple[Path, ...] = ()
    providers: tuple[str, ...] | None = None
    settings: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Progress:
    """One event of Terraform's: a line to show (already redacted), and for a resource its state.

    elapsed: seconds.
    """

    line: str
    address: str = ""
    state: Literal["", "planned", "started", "progress", "done", "failed"] = ""
    action: str = ""
    elapsed: float = 0.0


@dataclass
class Control:
    """How to watch and stop a call.

    on_progress: called for each line, from the reading thread.
    cancelled: polled a few times a second; once it returns True, Terraform gets one SIGINT.
    timeout: seconds after which Terraform gets the same SIGINT.
    grace: seconds from the SIGINT to a SIGKILL.
    journal: a directory for the supervisor's files (`pid`, `exit`). After a crash of the bot they show whether the
        process lives and how it ended.
    secrets: values to redact in all output.
    """

    journal: Path
    on_progress: Callable[[Progress], None] = lambda _progress: None
    cancelled: Callable[[], bool] = lambda: False
    timeout: float = 3600.0
    grace: float = 300.0
    secrets: Sequence[str] = ()


@dataclass(frozen=True)
class CommandResult:
    """How a Terraform process ended. `log` is redacted, and its middle is cut out if it is too long. diagnostics: its
    errors as text; errors: the same ones, typed."""

    exit_code: int
    log: str
    interrupted: bool = False
    timed_out: bool = False
    diagnostics: tuple[str, ...] = ()
    errors: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.interrupted and not self.timed_out


@dataclass(frozen=True)
class Backend:
    """Where a target's state is stored: the backend settings that `init` gets.

    kind: `http`, `s3`, `local`, …; config: non-secret settings (address, bucket, key, …), passed by -backend-config.
    env: credentials, passed by environment only. files: with credentials, that Terraform reads. declared: whether the repository has the backend block itself; if
    not, an override file of the bot's declares an empty one of this kind. replaces: that file takes the place of a block
    of another kind, since a laptop's state is its own.
    """

    kind: str
    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    declared: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class PlanOptions:
    """What `terraform plan` should do.

    var_files: absolute paths; a missing file is an error of Terraform's. refresh_only: only compare the state with
    what exists. parallelism: None for Terraform's default. unread: nobody reads what is planned, so the result has no
    `json` if there are changes.
    """

    var_files: Sequence[Path] = ()
    destroy: bool = False
    refresh_only: bool = False
    parallelism: int | None = None
    unread: bool = False


@dataclass(frozen=True)
class InitResult:
    """The result of `init`.

    kind, config: the backend, read back from .terraform/terraform.tfstate. reused: a cached init was linked.
    workspace: the one that the next call works in. providers: sources of those that were chosen or installed.
    """

    ended: CommandResult
    kind: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    reused: bool = False
    workspace: str = "default"
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanResult:
    """The result of `plan`.

    ended: exit code 0 also for a plan with changes, where Terraform's is 2. has_changes: changed outputs count.
    json: the output of `show -json`. It contains secrets and must be redacted before it is shown.
    """

    ended: CommandResult
    has_changes: bool = False
    json: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProviderUse:
    """A provider that a configuration or lock file needs, and the first place that says so.

    source: with host and namespace. file: path from the top of the repository. line: counted from 1, 0 if not known.
    """

    source: str
    file: str
    line: int = 0

    @property
    def registry(self) -> str:
        return self.source.split("/", 1)[0]

    @property
    def name(self) -> str:
        """`acme/evil`, without the registry."""
        return self.source.split("/", 1)[1]

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}" if self.line else self.file


@dataclass(frozen=True)
class VariableValue:
    """A value that a var file sets.

    type: `string`, `number`, `bool`, `list`, `map` or `null`; `expression` for anything else, which Terraform refuses.
    value: as JSON, the same for equal values. file: path from the top of the repository. line: counted from 1, 0 if not
    known.
    """

    name: str
    type: str
    value: str
    file: str
    line: int = 0


@dataclass(frozen=True)
class Requirement:
    """A provider or a module that a configuration is built of.

    name: a provider's source, without the engine's own registry; the name of a module call, after the directory and `/`
    if a local module calls it. version: a provider's in the lock file, else the required one; a module's source and
    version. file, line: as for VariableValue.
    """

    kind: Literal["provider", "module"]
    name: str
    version: str
    file: str
    line: int = 0


@dataclass(frozen=True)
class InputVariable:
    """An input variable of a root module. file: path from the top of the repository. line: counted from 1, 0 if not
    known. ephemeral: whether an apply needs its value again."""

    name: str
    file: str
    line: int = 0
    sensitive: bool = False
    ephemeral: bool = False

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}" if self.line else self.file


@dataclass(frozen=True)
class Additions:
    """What to add to an older configuration to revert to it, so that renamed or imported objects are not destroyed.

    files: name → content, to write into its root module before `init`, replacing existing files (remove links first).
    renames: address now → address then.
    forgets: addresses of what the newer release imported, to be removed from the state without destroying it.
    outside: addresses of what the newer release forgot; the older configuration would create it a second time.
    warnings: complete sentences to show.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    forgets: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class TerraformFailed(Exception):
    """A call failed whose return value cannot express a failure. `ended`: how it ended."""

    def __init__(self, what: str, ended: CommandResult) -> None:
        reason = ended.diagnostics[0] if ended.diagnostics else f"exit code {ended.exit_code}"
        super().__init__(f"{what}: {reason}")
        self.ended = ended


class Terraform(Protocol):
    """Typed calls. A failing Terraform raises only where the return value cannot express a failure."""

    @property
    def engine(self) -> Engine: ...

    def declared_backend(self, root: Path) -> str:
        """Return the kind of backend that the files in `root` declare (`s3`, `cloud`, …), or "".

        Raises UserError if an override file of the repository declares one.
        """
        ...

    def backend_block(self, root: Path) -> tuple[str, Mapping[str, str]]:
        """Return (kind, settings) of that block as written, or ("", {}) if there is none.

        The settings may contain secrets. Raises UserError if a file cannot be parsed.
        """
        ...

    def module_users(
        self, files: Sequence[str], read: Callable[[str], bytes | None], roots: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Return directory of a local module → the roots that use it. files: all paths of the tree."""
        ...

    def providers(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> tuple[ProviderUse, ...]:
        """Return the providers that a root module, its local modules and its lock file use, each once.

        files, read: as for module_users. Raises UserError if a file cannot be parsed.
        """
        ...

    def var_file_values(self, path: str, content: bytes) -> tuple[VariableValue, ...]:
        """Return what a var file sets. Raises UserError if it cannot be parsed."""
        ...

    def sensitive_variables(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> frozenset[str]:
        """Return a root module's variables that are declared as sensitive or ephemeral.

        files, read: as for module_users. Raises UserError if a file cannot be parsed.
        """
        ...

    def requirements(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> tuple[Requirement, ...]:
        """Return the versions of a root module's providers, and the modules that it and its local modules call.

        files, read: as for module_users. Raises UserError if a file cannot be parsed.
        """
        ...

    def unset_variables(
        self,
        files: Sequence[str],
        read: Callable[[str], bytes | None],
        root: str,
        var_files: Sequence[str],
    ) -> tuple[InputVariable, ...]:
        """Return the input variables of a root module that have neither a default nor a value in one of `var_files` or of
        the files that Terraform reads by itself (`terraform.tfvars`, `*.auto.tfvars`), in the order of the files.

        files, read: as for module_users. Raises UserError if a file cannot be parsed.
        """
        ...

    def revert_additions(
        self, old: Path, new: Path, *, then: bytes, now: bytes, imported: Collection[str] | None = None
    ) -> Additions:
        """Return what to add to the configuration `old` before it is planned against the state `now`.

        old, new: directories of the root module, checked out at the release to revert to and at the one applied last.
        then: the state that the old release left, b"" if it is not known; renames are then found by `moved` blocks
        only. now: the current state. imported: addresses that the newer releases' plans imported, None if not known;
        they are then read from `import` blocks, less exactly for those with `for_each`.
        No file is written. Raises UserError if the old configuration cannot be planned against this state.
        """
        ...

    def outcome(self, journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
        """Return the state and exit code of the apply (or state push) with this journal, whichever process started it.

        `lost`: it never started, or is gone and left no exit code. Other calls use journals of their own.
        """
        ...

    def collect(self) -> int:
        """Remove cached inits that have not been used for long; return how many."""
        ...

    def init(self, work_dir: WorkDir, backend: Backend, control: Control) -> InitResult:
        """Initialise `work_dir.root`, or reuse an init with the same lock file, modules, backend and engine.

        Raises UserError if a provider is not allowed: before anything is downloaded, or before a downloaded one runs.
        """
        ...

    def plan(self, work_dir: WorkDir, out: Path, control: Control, options: PlanOptions) -> PlanResult:
        """Run `plan -out`, then `show -json` once."""
        ...

    def apply(
        self, work_dir: WorkDir, plan: Path, control: Control, *, parallelism: int | None = None
    ) -> CommandResult:
        """Apply exactly the saved plan."""
        ...

    def outputs(self, work_dir: WorkDir, control: Control) -> Mapping[str, Any]:
        """Return `output -json`: name → {value, type, sensitive}; empty if there is no state. Raises TerraformFailed."""
        ...

    def state_pull(self, work_dir: WorkDir, control: Control) -> bytes:
        """Return the backend's current state, b"" if there is none. Raises TerraformFailed."""
        ...

    def state_push(self, work_dir: WorkDir, state: Path, control: Control) -> CommandResult:
        """Push a state file, such as an `errored.tfstate`."""
        ...
