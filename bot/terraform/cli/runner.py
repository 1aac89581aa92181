"""Run Terraform's commands: typed calls over one engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from posixpath import normpath
from typing import Any, Literal

from bot.domain.plans import read_json
from bot.domain.ports.terraform import (
    Additions,
    Backend,
    CommandResult,
    Control,
    Engine,
    InitResult,
    InputVariable,
    PlanOptions,
    PlanResult,
    ProviderUse,
    Requirement,
    TerraformFailed,
    VariableValue,
    WorkDir,
)
from bot.domain.redaction import Redactor
from bot.sandbox import Access, Sandbox
from bot.terraform.cli.argv import Command
from bot.terraform.cli.env import Environment, secrets_of
from bot.terraform.cli.execution import Execution
from bot.terraform.cli.private_dir import remove_abandoned
from bot.terraform.config import (
    backend_block,
    input_variables,
    module_graph,
    provider_uses,
    requirements,
    var_file,
)
from bot.terraform.init import allowed_providers
from bot.terraform.init.cache import InitCache
from bot.terraform.init.fingerprint import fingerprint
from bot.terraform.init.installed import installed_sources
from bot.terraform.process import status
from bot.terraform.process.call import CallKind
from bot.terraform.reverts import additions

_NEEDS_INIT = re.compile(
    r"(?:terraform|tofu) init|Inconsistent dependency lock file|Required plugins are not"
)
"""Terraform's errors when a cached init does not fit after all, such as for a provider that only the state needs."""

# Only what changes the state writes into the journal directory itself, so that `outcome` never takes the end of an
# init or a plan for that of an apply.
_INIT = CallKind("init")
_PLAN = CallKind("plan", success=(0, 2))
_SHOW = CallKind("show", capture=True)
_OUTPUT = CallKind("output", capture=True)
_PULL = CallKind("pull", capture=True)
_CHANGE = CallKind("")


class Runner:
    """Implements bot.domain.ports.terraform.Terraform. Safe to share between threads.

    data: a directory of its own, for cached inits and plugins. environment: the bot's own environment, from which an
    allowlist is taken. sandbox: confines every call. cli_config: the value of TF_CLI_CONFIG_FILE.
    """

    def __init__(
        self,
        engine: Engine,
        data: Path,
        environment: Mapping[str, str],
        *,
        sandbox: Sandbox,
        cli_config: Path | None = None,
    ) -> None:
        data = data.resolve()
        self._engine = engine
        self._command = Command(engine.executable)
        self._sandbox = sandbox
        (data / "plugins").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._environment = Environment(environment, cli_config)
        self._plugins = self._environment.plugin_cache or str(data / "plugins")
        self._inits = InitCache(data / "init")
        self._reused: dict[Path, tuple[WorkDir, Backend]] = {}

    @property
    def engine(self) -> Engine:
        return self._engine

    def declared_backend(self, root: Path) -> str:
        return backend_block.declared_backend(root, self._engine.flavour)

    def backend_block(self, root: Path) -> tuple[str, dict[str, str]]:
        return backend_block.backend_block(root, self._engine.flavour)

    def module_users(
        self, files: Sequence[str], read: Callable[[str], bytes | None], roots: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        return module_graph.module_users(files, read, roots, self._engine.flavour)

    def providers(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> tuple[ProviderUse, ...]:
        names = module_graph.names_in(files)
        return tuple(provider_uses.provider_uses(normpath(root), names, read, self._engine.flavour))

    def var_file_values(self, path: str, content: bytes) -> tuple[VariableValue, ...]:
        return tuple(var_file.var_file_values(path, content))

    def sensitive_variables(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> frozenset[str]:
        names = module_graph.names_in(files)
        return requirements.sensitive_variables(normpath(root), names, read, self._engine.flavour)

    def requirements(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str
    ) -> tuple[Requirement, ...]:
        names = module_graph.names_in(files)
        return tuple(requirements.requirements(normpath(root), names, read, self._engine.flavour))

    def unset_variables(
        self,
        files: Sequence[str],
        read: Callable[[str], bytes | None],
        root: str,
        var_files: Sequence[str],
    ) -> tuple[InputVariable, ...]:
        names = module_graph.names_in(files)
        return tuple(input_variables.unset(normpath(root), names, read, var_files, self._engine.flavour))

    def revert_additions(
        self, old: Path, new: Path, *, then: bytes, now: bytes, imported: Collection[str] | None = None
    ) -> Additions:
        return additions.additions(self._engine, old, new, then, now, imported)

    def outcome(self, journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
        return status.outcome(journal)

    def collect(self, *, older: float = 14 * 86400.0, largest: int = 5 << 30) -> int:
        """Remove cached inits that no worktree links to, see InitCache.collect, and what killed calls left. Call it about
        once a day."""
        remove_abandoned()
        return self._inits.collect(older=older, largest=largest)

    def init(self, work_dir: WorkDir, backend: Backend, control: Control) -> InitResult:
        """Run `init`, or link a cached one. Raises UserError if the repository's backend is another one, hidden, or has
        settings that are not the repository's to choose, or if a provider is not allowed."""
        allowed_providers.check_configuration(work_dir, self._engine.flavour)
        backend_block.ensure_backend(
            work_dir.root, backend.kind, self._engine.flavour, replaces=backend.replaces
        )
        backend_block.refuse_settings(work_dir.root, backend, self._engine.flavour)
        cached = self._inits.find(self._fingerprint(work_dir, backend))
        if cached is None:
            return self._init(work_dir, backend, control)
        self._inits.link(work_dir.root, cached)
        self._reused[work_dir.root] = (work_dir, backend)
        allowed_providers.check_installed(work_dir, self._engine.flavour)
        return self._init_result(work_dir, CommandResult(0, ""), reused=True)

    def _init_result(self, work_dir: WorkDir, ended: CommandResult, *, reused: bool = False) -> InitResult:
        kind, config = self._inits.backend(work_dir.root)
        workspace = self._environment.for_call(work_dir).get("TF_WORKSPACE")
        workspace = workspace or self._inits.workspace(work_dir.root)
        providers = installed_sources(work_dir.root, self._engine.flavour)
        return InitResult(ended, kind, config, reused=reused, workspace=workspace, providers=tuple(providers))

    def _fingerprint(self, work_dir: WorkDir, backend: Backend) -> str:
        config = Path(self._environment.cli_config)
        content = config.read_bytes() if config.is_file() else b""
        # a cached init holds modules, which must not outlive the right to read them
        readable = work_dir.git_access.repositories if work_dir.git_access else ()
        return fingerprint(work_dir.root, backend, self._engine, content, "\n".join(readable).encode())

    def _init(self, work_dir: WorkDir, backend: Backend, control: Control) -> InitResult:
        before = self._fingerprint(work_dir, backend)
        self._reused.pop(work_dir.root, None)
        with self._inits.exclusive(control.cancelled) as exclusive:
            directory = self._inits.new()
            self._inits.link(work_dir.root, directory)
            env = self._environment.for_init(work_dir, backend.env)
            env.pop("TF_PLUGIN_CACHE_DIR", None)
            if exclusive:
                env["TF_PLUGIN_CACHE_DIR"] = self._plugins
            argv = self._command.init(backend.config)
            execution = self._execution(_INIT, argv, work_dir, control, env=env, secrets=backend.env)
            execution.access = execution.access.with_writable(directory, Path(self._plugins))
            ended = execution.run()
            if not ended.ok:
                self._inits.discard(directory)
                return InitResult(ended)
            # Init may have changed the lock file, so both fingerprints lead to this directory.
            self._inits.publish(directory, {before, self._fingerprint(work_dir, backend)}, work_dir.root)
        allowed_providers.check_installed(work_dir, self._engine.flavour)
        return self._init_result(work_dir, ended)

    def _init_again(self, work_dir: WorkDir, control: Control) -> bool:
        """Run a real init where a cached one was used; return whether that was so and it succeeded."""
        reused = self._reused.pop(work_dir.root, None)
        return reused is not None and self._init(*reused, control).ended.ok

    def plan(self, work_dir: WorkDir, out: Path, control: Control, options: PlanOptions) -> PlanResult:
        ended = self._plan(work_dir, out, control, options)
        if ended.exit_code == 1 and _NEEDS_INIT.search(ended.log) and self._init_again(work_dir, control):
            ended = self._plan(work_dir, out, control, options)
        self._reused.pop(work_dir.root, None)
        if ended.exit_code not in (0, 2):
            return PlanResult(ended)
        if not out.is_symlink():  # Terraform makes it readable for all
            out.chmod(0o600)
        if options.unread and ended.exit_code == 2:
            return PlanResult(replace(ended, exit_code=0), has_changes=True)
        # It starts providers again, which must not change what they made: what is shown is what is kept.
        content = self._json(self._reading(_SHOW, self._command.show(out), work_dir, control, out))
        if isinstance(content, CommandResult):
            return PlanResult(content)
        has_changes = ended.exit_code == 2 or bool(content.get("applyable"))
        return PlanResult(replace(ended, exit_code=0), has_changes, content)

    def _plan(self, work_dir: WorkDir, out: Path, control: Control, options: PlanOptions) -> CommandResult:
        execution = self._execution(_PLAN, self._command.plan(out, options), work_dir, control)
        execution.access = execution.access.with_writable(out.parent)
        return execution.run()

    def apply(
        self, work_dir: WorkDir, plan: Path, control: Control, *, parallelism: int | None = None
    ) -> CommandResult:
        self._reused.pop(work_dir.root, None)
        argv = self._command.apply(plan, parallelism=parallelism)
        return self._reading(_CHANGE, argv, work_dir, control, plan).run()

    def outputs(self, work_dir: WorkDir, control: Control) -> Mapping[str, Any]:
        content = self._json(self._execution(_OUTPUT, self._command.outputs(), work_dir, control))
        if isinstance(content, CommandResult):
            raise TerraformFailed("terraform output", content)
        return content

    def state_pull(self, work_dir: WorkDir, control: Control) -> bytes:
        execution = self._execution(_PULL, self._command.state_pull(), work_dir, control)
        ended = execution.run()
        if not ended.ok:
            raise TerraformFailed("terraform state pull", ended)
        return bytes(execution.stdout)

    def state_push(self, work_dir: WorkDir, state: Path, control: Control) -> CommandResult:
        return self._reading(_CHANGE, self._command.state_push(state), work_dir, control, state).run()

    def _reading(
        self, kind: CallKind, argv: Sequence[str], work_dir: WorkDir, control: Control, file: Path
    ) -> Execution:
        """Prepare a command that reads a file besides those of its worktree."""
        execution = self._execution(kind, argv, work_dir, control)
        execution.access = execution.access.with_readable(file)
        return execution

    def _json(self, execution: Execution) -> Mapping[str, Any] | CommandResult:
        """Run a command and return the JSON that it printed, or its result if it failed."""
        ended = execution.run()
        if not ended.ok:
            return ended
        try:
            content: Mapping[str, Any] = read_json(execution.stdout)
        except ValueError as error:
            message = f"Error: cannot read the JSON that Terraform printed: {error}."
            return replace(ended, exit_code=1, log=message, diagnostics=(message,))
        return content

    def _execution(
        self,
        kind: CallKind,
        argv: Sequence[str],
        work_dir: WorkDir,
        control: Control,
        *,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Execution:
        """Prepare a command. secrets: further variables whose values may have to be redacted."""
        redactor = Redactor([*control.secrets, *secrets_of(work_dir, secrets or {})])
        env = self._environment.for_call(work_dir) if env is None else env
        return Execution(
            kind,
            argv,
            work_dir.root,
            env,
            control,
            redactor,
            self._sandbox,
            self._access(work_dir),
            top=work_dir.worktree,
        )

    def _access(self, work_dir: WorkDir) -> Access:
        """Return what every command may see: its worktree, to write; its cached init and the plugins, to read."""
        files = (self._plugins, self._engine.executable, self._environment.cli_config)
        cached = self._inits.directory_of(work_dir.root)
        readable = [Path(file) for file in (*files, cached, *work_dir.readable) if file]
        return self._sandbox.base.with_readable(*readable).with_writable(work_dir.worktree or work_dir.root)
