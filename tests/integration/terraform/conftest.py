"""Real engines over the offline provider, and a real http backend."""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.terraform import Backend, Control, Engine, PlanOptions, Progress, WorkDir
from bot.playground import sample
from bot.playground.provider import Cloud, install
from bot.sandbox import Access, Kind, Sandbox, landlock, open_sandbox
from bot.terraform import Runner, discover
from bot.terraform.cli.discovery import find_embedded

AVAILABLE: Kind = "landlock" if landlock.abi() else "off"


def confined(*writable: Path, readable: Sequence[Path] = (), kind: Kind = AVAILABLE) -> Sandbox:
    """A sandbox that shows these paths as well."""
    also = Access(tuple(map(str, readable)), tuple(map(str, writable)))
    return open_sandbox(kind, os.environ, also=also, hidden=[])


@pytest.fixture(scope="session")
def cli_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session")
def embedded_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return find_embedded(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="session")
def path_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    found = shutil.which("terraform") or shutil.which("tofu")
    if found is None:
        pytest.skip("no terraform or tofu on PATH")
    return discover(path=os.environ["PATH"], data=tmp_path_factory.mktemp("engine"))


@pytest.fixture(params=["path", "embedded"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@dataclass
class Bench:
    """A runner, a cloud, and worktrees of the sample repository."""

    base: Path
    runner: Runner
    cloud: Cloud
    said: list[Progress] = field(default_factory=list)

    def worktree(self, name: str, *changes: str) -> Path:
        """A directory with the sample's files; returns the root module's."""
        top = self.base / "worktrees" / name
        content: dict[str, bytes | None] = dict(sample.files())
        for change in changes:
            content |= sample.change(change)
        for path, data in content.items():
            if data is not None:
                (top / path).parent.mkdir(parents=True, exist_ok=True)
                (top / path).write_bytes(data)
        return top / "infra"

    def place(self, root: Path, **env: str) -> WorkDir:
        own = {"PLAYGROUND_CLOUD_DIR": str(self.cloud.directory), "PLAYGROUND_TOKEN": "staging-token"}
        return WorkDir(root, own | env, worktree=root.parent)

    @property
    def plan_file(self) -> Path:
        (self.base / "plans").mkdir(exist_ok=True)
        return self.base / "plans" / "plan"

    @property
    def backend(self) -> Backend:
        return Backend("local", {"path": str(self.base / "states" / "state.tfstate")})

    def control(self, **options: Any) -> Control:
        return Control(self.base / "journal", on_progress=self.said.append, **options)

    def var_files(self, root: Path) -> list[Path]:
        return [root.parent / "envs" / "staging.tfvars"]

    def plan(self, root: Path, **options: Any) -> Any:
        """init and plan; the plan is `plan_file`."""
        place = self.place(root)
        ready = self.runner.init(place, self.backend, self.control())
        assert ready.ended.ok, ready.ended.log
        return self.runner.plan(
            place, self.plan_file, self.control(), PlanOptions(self.var_files(root), **options)
        )

    def apply(self, root: Path, **options: Any) -> Any:
        return self.runner.apply(self.place(root), self.plan_file, self.control(**options))


MakeBench = Callable[[Engine], Bench]


@pytest.fixture
def make_bench(tmp_path: Path, cli_config: Path, embedded_engine: Engine) -> MakeBench:
    def make(engine: Engine) -> Bench:
        cloud = Cloud.create(tmp_path / "cloud", "staging-token")
        environment = {**os.environ, "TOWPATH_SECRET_KEY": "bots-own", "PROD_TOKEN": "of-another"}
        # writable: the "cloud", and the directory of the local backend's state
        (tmp_path / "states").mkdir(exist_ok=True)
        sandbox = confined(
            cloud.directory,
            tmp_path / "states",
            readable=[cli_config.parent, Path(embedded_engine.executable)],
        )
        runner = Runner(engine, tmp_path / "data", environment, sandbox=sandbox, cli_config=cli_config)
        return Bench(tmp_path, runner, cloud)

    return make


@pytest.fixture
def bench(engine: Engine, make_bench: MakeBench) -> Bench:
    return make_bench(engine)


@pytest.fixture
def fast_bench(embedded_engine: Engine, make_bench: MakeBench) -> Bench:
    """Where one engine is enough."""
    return make_bench(embedded_engine)


@dataclass
class StateServer:
    """What Terraform's http backend talks to: one state, one lock, one user."""

    address: str
    states: dict[str, bytes] = field(default_factory=dict)
    refused: int = 0


@pytest.fixture
def state_server() -> Iterator[StateServer]:
    wanted = "Basic " + base64.b64encode(b"run:s3cret-pass").decode()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = b""
            status = 200
            if self.headers.get("Authorization") != wanted:
                status = 401
                server.refused += 1
            elif self.command == "POST":
                json.loads(body)
                server.states[self.path.split("?")[0]] = body
            elif self.command == "GET":
                found = server.states.get(self.path, b"")
                status = 200 if found else 404
            self.send_response(status)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        do_GET = do_POST = do_LOCK = do_UNLOCK = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = StateServer(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    http.shutdown()
    thread.join()
    http.server_close()
