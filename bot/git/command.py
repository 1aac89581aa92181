"""Run git in a clean environment, with fixed configuration and a time limit."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast
from urllib.parse import urlsplit

from bot.domain.ports.git import Remote

# Overrides the configuration of every repository; none of these settings can start a program.
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.sparseCheckout": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",  # store each fetch as one pack: a killed fetch leaves no partial history
    "gc.auto": "0",
    "credential.helper": "",
    "http.lowSpeedLimit": "1000",  # bytes per second; git gives up if it is slower for lowSpeedTime seconds
    "http.lowSpeedTime": "30",
    "advice.detachedHead": "false",
}
_PATH = "/usr/local/bin:/usr/bin:/bin"


class GitFailed(Exception):
    """git exited with `code` (-1: it timed out) and wrote `message` to stderr."""

    def __init__(self, command: str, code: int, message: str) -> None:
        super().__init__(f"git {command} exited with {code}: {message[-2000:]}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class WorkTree:
    """Checked-out files, and the index that belongs to them."""

    path: Path
    index: Path


@dataclass(frozen=True)
class Command:
    """How git is run.

    executable: a name to look up on PATH, or a path. environment: variables that git may see besides the fixed ones
    (PATH, proxies, certificates). protocols: what may be used to fetch. config: settings that override the fixed ones.
    """

    executable: str = "git"
    environment: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("http", "https", "ssh")
    config: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        git_dir: Path,
        *arguments: str,
        stdin: bytes = b"",
        accept: Sequence[int] = (0,),
        work_tree: WorkTree | None = None,
        timeout: float = 120.0,
    ) -> bytes:
        """Run git locally; return its output.

        accept: exit codes that are no error. timeout: seconds after which the process group is killed. Raises
        GitFailed.
        """
        env = self._environment(git_dir, self.config)
        if work_tree is not None:
            env |= {"GIT_WORK_TREE": str(work_tree.path), "GIT_INDEX_FILE": str(work_tree.index)}
        cwd = Path("/") if work_tree is None else work_tree.path
        code, output, message = self._communicate(arguments, env, cwd, stdin, timeout)
        if code not in accept:
            raise GitFailed(arguments[0], code, message)
        return output

    @contextmanager
    def output(self, git_dir: Path, *arguments: str, timeout: float = 120.0) -> Iterator[IO[bytes]]:
        """Run git locally; yield its output while it is written, to be read to its end. An exception kills git.

        timeout: seconds after which the process group is killed. Raises GitFailed.
        """
        with TemporaryFile() as errors:
            process = subprocess.Popen(
                [self.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(git_dir, self.config),
                cwd="/",
                start_new_session=True,
            )
            expired = threading.Event()

            def expire() -> None:
                expired.set()
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

            timer = threading.Timer(timeout, expire)
            timer.start()
            with process:
                try:
                    yield cast("IO[bytes]", process.stdout)
                except BaseException:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise
                finally:
                    timer.cancel()
            if expired.is_set():
                raise GitFailed(arguments[0], -1, f"timed out after {timeout:.0f} s")
            if process.returncode:
                errors.seek(0)
                message = errors.read(100_000).decode(errors="replace").strip()
                raise GitFailed(arguments[0], process.returncode, message)

    def contact(self, git_dir: Path, remote: Remote, *arguments: str, timeout: float) -> bytes:
        """Run git with the credentials of `remote`; return its output. Raises GitFailed.

        Credentials are passed by environment: not as arguments, which every user can list, and not in a file.
        """
        env = self._environment(git_dir, {**self.config, **_authorization(remote)})
        code, output, message = self._communicate(arguments, env, Path("/"), b"", timeout)
        if code:
            raise GitFailed(arguments[0], code, message)
        return output

    def _communicate(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: bytes, timeout: float
    ) -> tuple[int, bytes, str]:
        """Return git's exit code, output and error output. Raises GitFailed if it times out."""
        process = subprocess.Popen(
            [self.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        with process:
            try:
                output, errors = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise GitFailed(arguments[0], -1, f"timed out after {timeout:.0f} s") from None
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return process.returncode, output, errors.decode(errors="replace").strip()

    def _environment(self, git_dir: Path, config: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": _PATH,
            **self.environment,
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_DIR": str(git_dir),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20",
            "GIT_ALLOW_PROTOCOL": ":".join(self.protocols),
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            **_as_variables({**_CONFIG, **config}),
        }


def _authorization(remote: Remote) -> dict[str, str]:
    """Return the setting with the Authorization header, for the remote's own host: redirects elsewhere do not get it."""
    if remote.credentials is None:
        return {}
    url = urlsplit(remote.url)
    pair = base64.b64encode(":".join(remote.credentials).encode()).decode()
    return {f"http.{url.scheme}://{url.netloc}/.extraHeader": f"Authorization: Basic {pair}"}


def _as_variables(config: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
