"""Terraform for the services: typed calls over one engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from bot.domain import json_text
from bot.domain.ports.terraform import (
    Additions,
    Backend,
    Control,
    Ended,
    Engine,
    Initialised,
    Place,
    Planned,
    TerraformFailed,
)
from bot.domain.redaction import Redactor
from bot.terraform import declared, modules, process, reverting
from bot.terraform.command import Command
from bot.terraform.environment import Environment, secrets_of
from bot.terraform.fingerprint import fingerprint
from bot.terraform.inits import Inits
from bot.terraform.supervise import Call

_NEEDS_INIT = re.compile(
    r"(?:terraform|tofu) init|Inconsistent dependency lock file|Required plugins are not"
)
"""What Terraform says where a kept init does not fit after all, such as a provider that only the state needs."""


class Runner:
    """Fulfils bot.domain.ports.terraform.Terraform. Safe to share between threads.

    data: a directory of its own, for kept inits, plugins and a private home. environment: the bot's own variables,
    from which an allowlist is taken. cli_config: the value for TF_CLI_CONFIG_FILE.
    """

    def __init__(
        self, engine: Engine, data: Path, environment: Mapping[str, str], *, cli_config: Path | None = None
    ) -> None:
        data = data.resolve()
        self._engine = engine
        self._command = Command(engine.executable)
        for name in ("home", "plugins"):
            (data / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._environment = Environment(environment, data / "home", cli_config)
        self._plugins = self._environment.plugin_cache or str(data / "plugins")
        self._inits = Inits(data / "init")
        self._reused: dict[Path, tuple[Place, Backend]] = {}

    @property
    def engine(self) -> Engine:
        return self._engine

    def declared_backend(self, root: Path) -> str:
        return declared.declared_backend(root, self._engine.flavour)

    def backend_block(self, root: Path) -> tuple[str, dict[str, str]]:
        return declared.backend_block(root, self._engine.flavour)

    def module_users(
        self, files: Sequence[str], read: Callable[[str], bytes | None], roots: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        return modules.module_users(files, read, roots, self._engine.flavour)

    def revert_additions(
        self, old: Path, new: Path, *, then: bytes, now: bytes, imported: Collection[str] | None = None
    ) -> Additions:
        return reverting.additions(self._engine, old, new, then, now, imported)

    def outcome(self, journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
        return process.outcome(journal)

    def collect(self, *, older: float = 14 * 86400.0, largest: int = 5 << 30) -> int:
        """Remove kept inits that no worktree links to (see Inits.collect); call it once a day or so."""
        return self._inits.collect(older=older, largest=largest)

    def init(self, place: Place, backend: Backend, control: Control) -> Initialised:
        """As in the port. Raises UserError where the repository declares another backend, or hides one."""
        declared.settle(place.root, backend.kind, self._engine.flavour)
        kept = self._inits.find(self._fingerprint(place, backend))
        if kept is None:
            return self._init(place, backend, control)
        self._inits.link(place.root, kept)
        self._reused[place.root] = (place, backend)
        return self._left(place, Ended(0, ""), reused=True)

    def _left(self, place: Place, ended: Ended, *, reused: bool = False) -> Initialised:
        """What an init left, as the next call will find it."""
        kind, config = self._inits.backend(place.root)
        chosen = self._environment.call(place).get("TF_WORKSPACE") or self._inits.workspace(place.root)
        return Initialised(ended, kind, config, reused=reused, workspace=chosen)

    def _fingerprint(self, place: Place, backend: Backend) -> str:
        config = Path(self._environment.cli_config)
        content = config.read_bytes() if config.is_file() else b""
        return fingerprint(place.root, backend, self._engine, content)

    def _init(self, place: Place, backend: Backend, control: Control) -> Initialised:
        before = self._fingerprint(place, backend)
        self._reused.pop(place.root, None)
        with self._inits.alone(control.cancelled) as alone:
            kept = self._inits.new()
            self._inits.link(place.root, kept)
            env = self._environment.init(place, backend.env)
            env.pop("TF_PLUGIN_CACHE_DIR", None)
            if alone:
                env["TF_PLUGIN_CACHE_DIR"] = self._plugins
            argv = self._command.init(backend.config)
            ended = self._call("init", argv, place, control, env=env, secrets=backend.env).run()
            if not ended.ok:
                self._inits.discard(kept)
                return Initialised(ended)
            self._inits.publish(kept, {before, self._fingerprint(place, backend)}, place.root)
        return self._left(place, ended)

    def _init_anew(self, place: Place, control: Control) -> bool:
        """A real init, where this place has a kept one."""
        known = self._reused.pop(place.root, None)
        return known is not None and self._init(*known, control).ended.ok

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
        argv = self._command.plan(
            out, var_files=var_files, destroy=destroy, refresh_only=refresh_only, parallelism=parallelism
        )
        ended = self._call("plan", argv, place, control, success=(0, 2)).run()
        if ended.exit_code == 1 and _NEEDS_INIT.search(ended.log) and self._init_anew(place, control):
            ended = self._call("plan", argv, place, control, success=(0, 2)).run()
        self._reused.pop(place.root, None)
        if ended.exit_code not in (0, 2):
            return Planned(ended)
        out.chmod(0o600)
        content = self._json(self._call("show", self._command.show(out), place, control, capture=True))
        if isinstance(content, Ended):
            return Planned(content)
        changed = ended.exit_code == 2 or bool(content.get("applyable"))
        return Planned(replace(ended, exit_code=0), changed, content)

    def apply(self, place: Place, plan: Path, control: Control, *, parallelism: int | None = None) -> Ended:
        self._reused.pop(place.root, None)
        argv = self._command.apply(plan, parallelism=parallelism)
        return self._call("", argv, place, control).run()

    def outputs(self, place: Place, control: Control) -> Mapping[str, Any]:
        content = self._json(self._call("output", self._command.outputs(), place, control, capture=True))
        if isinstance(content, Ended):
            raise TerraformFailed("terraform output", content)
        return content

    def state_pull(self, place: Place, control: Control) -> bytes:
        call = self._call("pull", self._command.state_pull(), place, control, capture=True)
        ended = call.run()
        if not ended.ok:
            raise TerraformFailed("terraform state pull", ended)
        return bytes(call.stdout)

    def state_push(self, place: Place, state: Path, control: Control) -> Ended:
        return self._call("", self._command.state_push(state), place, control).run()

    def _json(self, call: Call) -> Mapping[str, Any] | Ended:
        """What a call printed, or how it ended where that was not well."""
        ended = call.run()
        if not ended.ok:
            return ended
        try:
            content: Mapping[str, Any] = json_text.read(call.stdout)
        except ValueError as error:
            said = f"Error: what Terraform printed cannot be read: {error}."
            return replace(ended, exit_code=1, log=said, diagnostics=(said,))
        return content

    def _call(
        self,
        name: str,
        argv: Sequence[str],
        place: Place,
        control: Control,
        *,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        success: tuple[int, ...] = (0,),
        capture: bool = False,
    ) -> Call:
        """`name` is the journal's subdirectory: only what changes the state writes into the journal itself, so that
        `outcome` never mistakes the end of an init for that of an apply."""
        hidden = [*control.secrets, *secrets_of(place, secrets or {})]
        return Call(
            argv=argv,
            cwd=place.root,
            env=self._environment.call(place) if env is None else env,
            control=control,
            journal=control.journal / name,
            redactor=Redactor(hidden),
            success=success,
            capture=capture,
        )
