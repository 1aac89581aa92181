"""One way to start git: a clean environment, nothing configured by anyone else, a time limit."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.ports.git import Remote

# Set for every call, above all that a repository's own config could say. None of it can start a program.
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
    "fetch.unpackLimit": "1",  # a pack appears whole or not at all: a killed fetch leaves no half history
    "gc.auto": "0",
    "credential.helper": "",
    "http.lowSpeedLimit": "1000",  # bytes a second; below it for lowSpeedTime seconds, git gives up by itself
    "http.lowSpeedTime": "30",
    "advice.detachedHead": "false",
}
_PATH = "/usr/local/bin:/usr/bin:/bin"


class GitFailed(Exception):
    """git ended with `code` (-1: it took too long) and said `message` on its error output."""

    def __init__(self, command: str, code: int, message: str) -> None:
        super().__init__(f"git {command} ended with {code}: {message[-2000:]}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Command:
    """How git is started.

    executable: a name looked up on PATH, or a path. environment: variables that git may see besides ours (PATH,
    proxies, certificates). protocols: what may be fetched over.
    """

    executable: str = "git"
    environment: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("http", "https", "ssh")

    def run(
        self,
        git_dir: Path,
        *arguments: str,
        remote: Remote | None = None,
        variables: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        cwd: Path | None = None,
        timeout: float = 120.0,
        accept: Sequence[int] = (0,),
    ) -> bytes:
        """git's output. The whole group of processes is killed after `timeout` seconds.

        Raises GitFailed for an exit code that is not in `accept`. Credentials of `remote` go by environment: they
        are neither in the arguments, which every user can list, nor in a file.
        """
        settings = {**_CONFIG, **(config or {}), **(_authorisation(remote) if remote else {})}
        process = subprocess.Popen(
            [self.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._clean(git_dir), **_as_variables(settings), **(variables or {})},
            cwd=cwd or "/",
            start_new_session=True,
        )
        with process:
            try:
                out, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise GitFailed(arguments[0], -1, f"no end after {timeout:.0f} s") from None
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode not in accept:
            raise GitFailed(arguments[0], process.returncode, err.decode(errors="replace").strip())
        return out

    def _clean(self, git_dir: Path) -> dict[str, str]:
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
        }


def _authorisation(remote: Remote) -> dict[str, str]:
    """The header for the remote's own host alone: a redirect elsewhere does not carry it."""
    if remote.credentials is None:
        return {}
    address = urlsplit(remote.url)
    pair = base64.b64encode(":".join(remote.credentials).encode()).decode()
    return {f"http.{address.scheme}://{address.netloc}/.extraHeader": f"Authorization: Basic {pair}"}


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
