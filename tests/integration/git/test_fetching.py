"""Fetching over real HTTP: by commit, by ref, with credentials, against servers that fail."""

from __future__ import annotations

import base64
import multiprocessing
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from bot.domain.ports.git import Remote
from bot.errors import GitUnavailable, UserError
from bot.git import Mirrors
from tests.integration.git.server import GitServer
from tests.integration.git.work import Work

GONE = "0123456789" * 4


def test_fetches_a_commit_once(mirrors: Mirrors, work: Work, remote: Remote, server: GitServer) -> None:
    first = work.git("rev-parse", "HEAD")
    second = work.commit("second")
    mirrors.fetch(remote, [second])
    assert mirrors.read("acme/infra", second, "envs/dev.tfvars") == b"size = 1\n"
    asked = len(server.requests)
    mirrors.fetch(remote, [second, second])
    mirrors.fetch(remote, [first])  # its ancestor came along
    assert len(server.requests) == asked


def test_a_server_that_refuses_ids_is_asked_by_ref(tmp_path: Path, work: Work, remote: Remote) -> None:
    wanted = work.commit("in the pull request", push="refs/pull/3/head")
    work.commit("pushed later", push="refs/pull/3/head")
    # git's protocol 0 refuses ids that no ref points to; its protocol 2 does not.
    forced = Mirrors(tmp_path / "data", environment={"GIT_CONFIG_PARAMETERS": "'protocol.version'='0'"})
    with pytest.raises(UserError, match="has no commit"):
        forced.fetch(remote, [wanted])
    forced.fetch(remote, [wanted], refs=["refs/heads/nowhere", "refs/pull/3/head"])
    assert forced.files("acme/infra", wanted) == ["envs/dev.tfvars", "infra/main.tf"]


def test_a_commit_that_does_not_exist_is_the_users_matter(
    mirrors: Mirrors, work: Work, remote: Remote
) -> None:
    with pytest.raises(UserError, match=r"acme/infra has no commit 012345678901") as refused:
        mirrors.fetch(remote, [GONE], refs=["refs/pull/9/head", "refs/heads/main"])
    assert refused.value.next_step


@pytest.mark.parametrize("commit", ["main", "HEAD", "abc", "-x" * 20, "A" * 40, GONE + "\n"])
def test_only_full_ids_are_commits(mirrors: Mirrors, remote: Remote, commit: str) -> None:
    with pytest.raises(ValueError, match="not a commit"):
        mirrors.fetch(remote, [commit])
    with pytest.raises(ValueError, match="not a commit"):
        mirrors.read("acme/infra", commit, "x")


@pytest.mark.parametrize("repository", ["infra", "../x/y", "acme/..", "acme/a/b", "/etc/x", "acme/"])
def test_only_names_are_repositories(mirrors: Mirrors, repository: str) -> None:
    with pytest.raises(ValueError, match="not a repository"):
        mirrors.read(repository, GONE, "x")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_in_trouble_passes(
    mirrors: Mirrors, work: Work, remote: Remote, server: GitServer, status: int
) -> None:
    commit = work.git("rev-parse", "HEAD")
    server.status = status
    with pytest.raises(GitUnavailable, match=str(status)):
        mirrors.fetch(remote, [commit])
    server.status = 0
    mirrors.fetch(remote, [commit])


def test_a_server_that_is_not_there_passes(mirrors: Mirrors) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(GitUnavailable):
        mirrors.fetch(Remote("acme/infra", f"http://127.0.0.1:{port}/acme/infra.git"), [GONE])


def test_a_server_that_hangs_is_given_up(
    tmp_path: Path, work: Work, remote: Remote, server: GitServer
) -> None:
    server.stall.clear()
    with pytest.raises(GitUnavailable, match="timed out after 1 s"):
        Mirrors(tmp_path / "data", fetch_timeout=1).fetch(remote, [work.git("rev-parse", "HEAD")])


def test_an_unknown_repository_is_the_users_matter(mirrors: Mirrors, server: GitServer, work: Work) -> None:
    with pytest.raises(UserError, match="does not exist, or the server rejects"):
        mirrors.fetch(Remote("acme/other", f"{server.url}/acme/other.git"), [GONE])


def test_credentials_are_in_no_file_and_no_argument(
    tmp_path: Path, work: Work, remote: Remote, server: GitServer
) -> None:
    server.credentials = ("x-access-token", "s3cret-token")
    commit = work.git("rev-parse", "HEAD")
    seen = tmp_path / "seen"
    wrapper = tmp_path / "git"
    wrapper.write_text(f'#!/bin/sh\ntr "\\0" " " < /proc/$$/cmdline >> {seen}\nexec git "$@"\n')
    wrapper.chmod(0o755)
    mirrors = Mirrors(tmp_path / "data", executable=str(wrapper))
    with pytest.raises(UserError, match="rejects the bot's credentials"):
        mirrors.fetch(remote, [commit])
    with pytest.raises(UserError, match="rejects the bot's credentials"):
        mirrors.fetch(Remote("acme/infra", remote.url, ("x-access-token", "wrong")), [commit])
    mirrors.fetch(Remote("acme/infra", remote.url, server.credentials), [commit])
    mirrors.checkout("acme/infra", commit, tmp_path / "tree")
    encoded = base64.b64encode(b"x-access-token:s3cret-token")
    assert "fetch --quiet" in seen.read_text()
    for file in [seen, *(tmp_path / "data").rglob("*"), *(tmp_path / "tree").rglob("*")]:
        if file.is_file():
            assert b"s3cret-token" not in file.read_bytes()
            assert encoded not in file.read_bytes()


@pytest.mark.parametrize(
    "url", ["ext::sh -c 'touch owned'", "file:///srv/x.git", "/srv/x.git", "ftp://host/x", "--upload-pack=x"]
)
def test_other_protocols_are_refused(mirrors: Mirrors, url: str) -> None:
    with pytest.raises(UserError, match="cannot be fetched over"):
        mirrors.fetch(Remote("acme/infra", url), [GONE])


def test_a_password_in_the_address_is_refused(mirrors: Mirrors) -> None:
    with pytest.raises(UserError, match="contains a password") as refused:
        mirrors.fetch(Remote("acme/infra", "https://ann:s3cret@example.com/x.git"), [GONE])
    assert "s3cret" not in str(refused.value)


def test_files_may_be_allowed(tmp_path: Path, work: Work) -> None:
    commit = work.git("rev-parse", "HEAD")
    mirrors = Mirrors(tmp_path / "data", allow_file=True)
    mirrors.fetch(Remote("acme/infra", f"file://{work.origin}"), [commit])
    assert mirrors.files("acme/infra", commit, "infra/") == ["infra/main.tf"]


def _fetch(data: Path, remote: Remote, commits: list[str]) -> None:
    Mirrors(data).fetch(remote, commits)


def test_a_killed_fetch_does_not_hinder_the_next(
    tmp_path: Path, work: Work, remote: Remote, server: GitServer
) -> None:
    commit = work.git("rev-parse", "HEAD")
    server.stall.clear()
    process = multiprocessing.get_context("spawn").Process(
        target=_fetch, args=(tmp_path / "data", remote, [commit])
    )
    process.start()
    assert server.stalled.wait(30)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    server.stall.set()
    mirrors = Mirrors(tmp_path / "data")
    mirrors.fetch(remote, [commit])
    assert mirrors.read("acme/infra", commit, "envs/dev.tfvars") == b"size = 1\n"


def test_processes_and_threads_fetch_at_once(tmp_path: Path, work: Work, remote: Remote) -> None:
    commits = [work.commit(f"change {number}") for number in range(6)]
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_fetch, args=(tmp_path / "data", remote, commits[part::2]))
        for part in range(2)
    ]
    mirrors = Mirrors(tmp_path / "data")
    threads = [threading.Thread(target=mirrors.fetch, args=(remote, [commit])) for commit in commits]
    for process in processes:
        process.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(mirrors.files("acme/infra", commit) for commit in commits)
