"""Start and stop dependencies, and remember what was started, in a directory of the working copy's own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from bot.dev import processes, wheels
from bot.dev.containers import ContainerEngine, find_engine
from bot.domain.dev import Running, definition_digest
from bot.domain.policy import Need
from bot.domain.ports.dependencies import Ended
from bot.errors import UserError

TAIL = 2000
"""Bytes of the end of a log that a failure shows lines of."""
LINES = 5


class LocalLauncher:
    """Implements bot.domain.ports.dependencies.Launcher.

    top: the working copy's top directory, where commands run. state: a private directory, for records, logs, data and
    virtual environments. environment: what commands get besides their own variables; this is the person's own machine.
    """

    def __init__(self, top: Path, state: Path, environment: Mapping[str, str]) -> None:
        self._top = top
        self._state = state
        self._environment = dict(environment)

    @cached_property
    def engine(self) -> ContainerEngine:
        """This machine's container engine."""
        return find_engine(self._environment)

    def running(self) -> list[Running]:
        found = []
        for path in self._records.glob("*.json"):
            with suppress(OSError, ValueError, TypeError, KeyError):
                record = json.loads(path.read_text())
                found.append((int(record.pop("order")), Running(**record)))
        return [running for _, running in sorted(found, key=lambda pair: pair[0])]

    def start(self, need: Need) -> Running:
        if need.container and (self.engine.program or not need.command):
            running = self._start_container(need)
        else:
            running = self._start_command(need)
        self._record(running)
        return running

    def _start_container(self, need: Need) -> Running:
        engine = self.engine
        if not engine.program:
            raise UserError(
                f"`{need.name}` runs in a container, and {engine.problem}.",
                next_step="Install or start Docker or Podman, or give it a `command` (or `wheel`) to use without one, in "
                "`envs/environments.toml`.",
            )
        name = f"towpath-{sha256(str(self._top).encode()).hexdigest()[:8]}-{need.name}"
        engine.run(name, need.container, need.ports, need.env, self._environment)
        return Running(
            need.name,
            definition_digest(need),
            f"{engine.name} logs {name}",
            container=name,
            engine=engine.program,
        )

    def _start_command(self, need: Need) -> Running:
        data = self._data(need)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._state / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        if need.wheel:
            installing = self._state / "logs" / f"{need.name}.install.log"
            wheels.install(self._state / "wheels", need.wheel, self._environment, installing)
        words = shlex.split(need.command) if isinstance(need.command, str) else list(need.command)
        argv = [word.replace("{data}", str(data)) for word in words]
        env = self.environment(need)
        program = shutil.which(argv[0], path=env.get("PATH")) if "/" not in argv[0] else argv[0]
        log = self._state / "logs" / f"{need.name}.log"
        if log.exists():
            log.replace(log.with_name(f"{need.name}.log.1"))
        try:
            if program is None:
                raise FileNotFoundError(0, "it is not on PATH")
            pid, born = processes.start([program, *argv[1:]], self._top, env, log)
        except OSError as error:
            raise UserError(
                f"`{need.name}` cannot be started: `{argv[0]}`: {(error.strerror or str(error)).lower()}.",
                next_step="Install it, or correct `command` in `envs/environments.toml`.",
            ) from None
        return Running(need.name, definition_digest(need), str(log), pid=pid, born=born)

    def alive(self, running: Running) -> bool:
        if running.container:
            return ContainerEngine(running.engine).is_running(running.container)
        return processes.is_alive(running.pid, running.born)

    def stop(self, running: Running) -> Ended:
        ended: bool | None
        if running.container:
            ended = ContainerEngine(running.engine).stop(running.container) or None
        else:
            ended = processes.stop(running.pid, running.born)
        (self._records / f"{running.name}.json").unlink(missing_ok=True)
        return "gone" if ended is None else "stopped" if ended else "killed"

    def environment(self, need: Need) -> Mapping[str, str]:
        data = str(self._data(need))
        own = {name: value.replace("{data}", data) for name, value in need.env.items()}
        env = {**self._environment, **own}
        if need.wheel:
            place = wheels.environment_of(self._state / "wheels", need.wheel)
            env |= {
                "VIRTUAL_ENV": str(place),
                "PATH": f"{place / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}",
            }
        return env

    def last_lines(self, running: Running) -> str:
        if running.container:
            return ContainerEngine(running.engine).last_lines(running.container, LINES)
        try:
            with Path(running.log).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-LINES:])
        except OSError:
            return ""

    def port_taken(self, port: int) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one in TIME_WAIT is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    @property
    def _records(self) -> Path:
        return self._state / "running"

    def _data(self, need: Need) -> Path:
        return self._state / "data" / need.name

    def _record(self, running: Running) -> None:
        """Written at once and whole: a dependency that is not recorded would never be stopped."""
        self._records.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = [json.loads(path.read_text())["order"] for path in self._records.glob("*.json")]
        draft = self._records / f".{running.name}.new"
        draft.write_text(json.dumps(asdict(running) | {"order": max(taken, default=0) + 1}))
        draft.replace(self._records / f"{running.name}.json")
