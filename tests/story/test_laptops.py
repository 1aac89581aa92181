"""People's own Terraform on the built-in backend: who may, and how a laptop and the bot keep each other out."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.playground.world import World, until
from tests.contract.state_store import state
from tests.fork_server import ForkServer
from tests.story.story import MAIN, Story


def token(world: World, login: str) -> str:
    return str(world.github.state.user(login).token)


_addresses = (f"127.1.{number // 250}.{1 + number % 250}" for number in itertools.count())


def login(story: Story, who: str, **more: Any) -> httpx.Response:
    """Each time from another address: the bot counts an address's tries, and stories share the bot."""
    body = {"repository": story.repository, "environment": "staging", **more}
    headers = {"Authorization": f"Bearer {token(story.world, who)}"}
    with httpx.Client(transport=httpx.HTTPTransport(local_address=next(_addresses)), timeout=30) as client:
        return client.post(f"{story.world.bot.url}/state/login", json=body, headers=headers)


class Laptop:
    """A checkout of one resource with the state of a pass, and Terraform in it."""

    def __init__(self, path: Path, terraform: str, given: dict[str, Any]) -> None:
        path.mkdir()
        self.path, self.terraform, self.given = path, terraform, given
        (path / "main.tf").write_text(
            'terraform {\n  backend "http" {}\n}\n' + MAIN.replace("SIZE", "laptop")
        )

    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "CHECKPOINT_DISABLE": "1",
            "TF_INPUT": "0",
            "TF_HTTP_USERNAME": self.given["username"],
            "TF_HTTP_PASSWORD": self.given["password"],
            "TF_HTTP_RETRY_MAX": "30",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.terraform, *arguments],
            cwd=self.path,
            env=self.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, ok: bool = True) -> str:
        with self.start(*arguments) as process:
            told = process.communicate()[0]
        assert (process.returncode == 0) == ok, told
        return " ".join(told.replace("│", " ").split())

    def init(self) -> Laptop:
        settings = [f"-backend-config={name}={value}" for name, value in self.given["config"].items()]
        self.run("init", "-no-color", *settings)
        return self


@pytest.mark.own_world
def test_who_may_sign_in(story: Story, world: World) -> None:
    """By their role on GitHub; a stranger, a reader, and a token that is none get nothing."""
    given = login(story, "ann").json()
    assert given["target"] == f"{story.repository}:infra:staging"
    assert given["config"]["address"].endswith("/infra/staging")
    refused = login(story, "dave")
    assert (refused.status_code, "`write` role" in refused.json()["error"]) == (403, True)
    url = f"{world.bot.url}/state/login"
    body = {"repository": story.repository, "environment": "staging"}
    wrong = httpx.post(url, json=body, headers={"Authorization": "Bearer ghp_wrong"}, timeout=30)
    assert wrong.status_code == 401
    assert httpx.post(url, json=body).status_code == 401
    assert login(story, "ann", environment="stagin").status_code == 403
    bad = httpx.post(
        url, json={"repository": "../x", "environment": "staging"}, headers={"Authorization": "Bearer x"}
    )
    assert bad.status_code == 400
    tries = [httpx.post(url, json={}, headers={"Authorization": "Bearer x"}).status_code for _ in range(12)]
    assert (tries[0], tries[-1]) == (400, 429)
    with story.tables() as tables:
        kept = repr(tables.connection.exec_driver_sql("SELECT * FROM credentials").all())
    assert given["password"] not in kept
    said = world.bot.log.read_text()
    assert token(world, "ann") not in said
    assert given["password"] not in said
    auth = (given["username"], given["password"])
    assert httpx.get(given["config"]["address"], auth=auth).status_code == 204
    until(lambda: httpx.delete(url, auth=auth).status_code == 204, what="room for another try", every=0.5)
    assert httpx.get(given["config"]["address"], auth=auth).status_code == 401


def test_a_laptop_and_the_bot_keep_each_other_out(
    story: Story, world: World, terraform: str, tmp_path: Path
) -> None:
    number = story.propose("medium")
    story.planned(number)
    laptop = Laptop(tmp_path / "laptop", terraform, login(story, "bob").json()).init()
    assert "1 to add" in laptop.run("plan", "-no-color")
    (laptop.path / "slow.tf").write_text(
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n'
        '    command = "touch begun; while [ ! -e go ]; do sleep 0.05; done"\n  }\n}\n'
    )
    with laptop.start("apply", "-no-color", "-auto-approve") as applying:
        until((laptop.path / "begun").exists, what="the middle of the laptop's apply")
        story.reacted(number, story.say(number, "/apply staging"), "-1")
        told = story.is_told(number, "Terraform on a laptop")
        assert "@bob" in told
        assert "/unlock staging" in told
        (laptop.path / "go").touch()
        assert "Apply complete" in applying.communicate()[0]
    with story.tables() as tables:
        assert tables.locks.get(story.target()) is None
        newest = tables.states.newest(story.target().key)
        assert newest is not None
        assert (newest.actor, newest.run_id) == ("bob", "")
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.planned(number)
    story.applied(number)
    refused = laptop.run("apply", "-no-color", "-auto-approve", ok=False)
    assert f"staging is locked: #{number}" in refused
    assert "No changes" not in laptop.run("plan", "-no-color")
    with story.tables() as tables:
        assert tables.states.locked(story.target().key) is None
    assert {"state.login", "lock.taken", "state.written", "lock.released"} <= story.actions()


def test_a_killed_laptop(story: Story, world: World, terraform: str, tmp_path: Path) -> None:
    """Its locks stay until a maintainer frees them; ann has write, and may not."""
    number = story.propose("medium")
    story.planned(number)
    laptop = Laptop(tmp_path / "laptop", terraform, login(story, "bob").json()).init()
    (laptop.path / "slow.tf").write_text(
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "touch begun; sleep 1"\n  }\n}\n'
    )
    with laptop.start("apply", "-no-color", "-auto-approve") as applying:
        until((laptop.path / "begun").exists, what="the middle of the laptop's apply")
        applying.kill()
        applying.communicate()
    with story.tables() as tables:
        assert tables.states.holder(story.target().key) == "person:bob"
        lock = tables.states.locked(story.target().key)
    assert lock is not None
    auth = (laptop.given["username"], laptop.given["password"])
    address = laptop.given["config"]["address"]
    anns = login(story, "ann").json()
    theirs = (anns["username"], anns["password"])
    stolen = httpx.post(f"{address}?ID={lock.id}", content=state(1), auth=theirs)
    assert (stolen.status_code, stolen.text.split(":")[0]) == (409, "Refused")
    freed = httpx.request("UNLOCK", address, auth=theirs)
    assert freed.status_code == 409
    assert httpx.get(address, auth=auth).status_code == 204, "nothing was written"
    story.say(number, "/unlock staging")
    story.is_told(number, "`maintain`")
    story.reacted(number, story.say(number, "/unlock staging", "carol"), "+1")
    with story.tables() as tables:
        assert tables.states.locked(story.target().key) is None
        assert tables.locks.get(story.target()) is None
    story.applied(number)


def test_the_command_line(
    story: Story, world: World, terraform: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    """`towpath state login` writes what Terraform needs, for the owner's eyes alone; `logout` takes it back."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_TOKEN": token(world, "ann")}

    def towpath(*arguments: str, ok: bool = True, **more: str) -> str:
        done = fork_server.run(["state", *arguments], env | more)
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout + done.stderr

    which = ("--url", world.bot.url, "--repository", story.repository, "--env", "staging")
    assert "not https" in towpath("login", "--url", "http://bot.example.com", *which[2:], ok=False)
    assert "no GitHub token" in towpath("login", *which, ok=False, GITHUB_TOKEN="")
    assert "`write` role" in towpath("login", *which, ok=False, GITHUB_TOKEN=token(world, "dave"))
    said = towpath("login", *which)
    (settings,) = tmp_path.rglob("towpath.backend.hcl")
    password = (settings.parent / "password").read_text()
    assert f"terraform init -reconfigure -backend-config={settings}" in said
    assert password not in said
    assert password not in settings.read_text()
    for path in settings.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert env["GITHUB_TOKEN"] not in path.read_text()
    (line,) = (line for line in said.splitlines() if "TF_HTTP_USERNAME" in line)
    given = {"username": line.partition("=")[2], "password": password, "config": {}}
    laptop = Laptop(tmp_path / "laptop", terraform, given)
    laptop.run("init", "-no-color", "-reconfigure", f"-backend-config={settings}")
    assert "Apply complete" in laptop.run("apply", "-no-color", "-auto-approve")
    assert "deleted" in towpath("logout")
    assert not list(tmp_path.rglob("password"))
    assert "requires auth" in laptop.run("plan", "-no-color", ok=False)
    assert "no credential" in towpath("logout")


@pytest.mark.parametrize("change", ["lineage", "serial"])
def test_a_laptop_writes_nothing_that_may_not_follow(
    story: Story, world: World, terraform: str, tmp_path: Path, change: str
) -> None:
    laptop = Laptop(tmp_path / "laptop", terraform, login(story, "ann").json()).init()
    laptop.run("apply", "-no-color", "-auto-approve")
    with story.tables() as tables:
        before = tables.states.newest(story.target().key)
    assert before is not None
    state = laptop.run("state", "pull")
    wrong = (
        state.replace(before.lineage, "another-lineage")
        if change == "lineage"
        else state.replace(f'"serial": {before.serial}', '"serial": 0')
    )
    (laptop.path / "push.json").write_text(wrong.replace("laptop", "stolen"))
    laptop.run("state", "push", "-force", "push.json", ok=False)
    with story.tables() as tables:
        assert tables.states.newest(story.target().key) == before
