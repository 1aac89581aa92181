"""Reading a commit, and what lies between two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.git import Remote
from bot.errors import UserError
from bot.git import Mirrors
from bot.git.command import Command
from tests.integration.git.work import Work

ODD = ["a b.tf", 'quo"te.tf', "new\nline.tf", "tab\t.tf", "ünïcode.tf", ":(top)x.tf", "-dash.tf", "st*r.tf"]


def test_reads_files_by_any_name(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    for name in ODD:
        work.write(f"odd/{name}", name)
    commit = work.commit()
    mirrors.fetch(remote, [commit])
    assert sorted(mirrors.files("acme/infra", commit, "odd")) == sorted(f"odd/{name}" for name in ODD)
    for name in ODD:
        assert mirrors.read("acme/infra", commit, f"odd/{name}") == name.encode()
    assert mirrors.read("acme/infra", commit, "odd/stir.tf") is None


@pytest.mark.parametrize(
    "path", ["nothing", "infra", "infra/", "infra/main.tf/x", "link", "../x", "/etc/passwd", ""]
)
def test_what_is_no_file_reads_as_none(mirrors: Mirrors, work: Work, remote: Remote, path: str) -> None:
    (work.path / "link").symlink_to("/etc/passwd")
    commit = work.commit()
    mirrors.fetch(remote, [commit])
    assert mirrors.read("acme/infra", commit, path) is None


def test_changed_counts_from_the_merge_base(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    start = work.git("rev-parse", "HEAD")
    work.git("checkout", "--quiet", "-b", "feature")
    work.write("infra/new.tf", "")
    work.git("mv", "envs/dev.tfvars", "envs/ci.tfvars")
    head = work.commit(push="refs/heads/feature")
    work.git("checkout", "--quiet", "main")
    work.write("infra/elsewhere.tf", "")
    base = work.commit()
    mirrors.fetch(remote, [base, head])
    assert mirrors.changed("acme/infra", base, head) == ["envs/ci.tfvars", "envs/dev.tfvars", "infra/new.tf"]
    assert mirrors.merge_base("acme/infra", base, head) == start
    assert mirrors.is_ancestor("acme/infra", start, head)
    assert mirrors.is_ancestor("acme/infra", head, head)
    assert not mirrors.is_ancestor("acme/infra", base, head)


def test_the_commits_that_a_branch_brings(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    """Not those of the base, also after that was merged in; the merge itself is one of the branch's."""
    work.git("checkout", "--quiet", "-b", "feature")
    one, two = work.commit("one"), work.commit("two")
    work.git("checkout", "--quiet", "main")
    base = work.commit("base")
    work.git("checkout", "--quiet", "feature")
    work.git("merge", "--quiet", "--no-edit", "main")
    head = work.commit("head", push="refs/heads/feature")
    merge = work.git("rev-parse", "HEAD~1")
    mirrors.fetch(remote, [base, head])
    assert set(mirrors.commits("acme/infra", base, head, 10)) == {head, merge, two, one}
    assert mirrors.commits("acme/infra", base, head, 2) == [head, merge]
    assert mirrors.commits("acme/infra", head, base, 10) == []


def test_unrelated_histories_are_told(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    base = work.git("rev-parse", "HEAD")
    work.git("checkout", "--quiet", "--orphan", "fresh")
    head = work.commit(push="refs/heads/fresh")
    mirrors.fetch(remote, [base, head])
    with pytest.raises(UserError, match="no common history"):
        mirrors.changed("acme/infra", base, head)


def test_a_commit_never_fetched_is_told(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    mirrors.fetch(remote, [work.git("rev-parse", "HEAD")])
    with pytest.raises(UserError, match="copy of acme/infra has no commit 012345678901"):
        mirrors.files("acme/infra", "0123456789" * 4)


def test_blobs_name_every_content(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    for name in ODD:
        work.write(f"odd/{name}", name)
    (work.path / "link").symlink_to("infra/main.tf")
    first = work.commit()
    work.write("odd/a b.tf", "another")
    second = work.commit()
    mirrors.fetch(remote, [first, second])
    before, after = (mirrors.blobs("acme/infra", commit) for commit in (first, second))
    assert sorted(before) == sorted(mirrors.files("acme/infra", first))
    assert {path for path in before if before[path] != after[path]} == {"odd/a b.tf"}
    assert before["link"] == work.git("rev-parse", f"{first}:link")
    before["odd/a b.tf"] = "changed by its reader"
    assert mirrors.blobs("acme/infra", first)["odd/a b.tf"] == work.git("rev-parse", f"{first}:odd/a b.tf")


def test_what_was_read_is_remembered_and_each_commit_has_its_own(
    mirrors: Mirrors, work: Work, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write("infra/more.tf", "one")
    work.write("infra/large.tf", "#" * 20_000)
    first = work.commit()
    work.write("infra/more.tf", "two")
    second = work.commit()
    mirrors.fetch(remote, [first, second])
    asked: list[str] = []
    output = Command.output

    def counted(command: Command, mirror: Path, *arguments: str, **more: Any) -> Any:
        asked.append(arguments[0])
        return output(command, mirror, *arguments, **more)

    monkeypatch.setattr(Command, "output", counted)
    for commit, content in ((first, b"one"), (second, b"two"), (first, b"one")):
        mirrors.blobs("acme/infra", commit)
        assert mirrors.read("acme/infra", commit, "infra/more.tf") == content
        assert mirrors.read("acme/infra", commit, "infra/large.tf") == b"#" * 20_000
        assert mirrors.read("acme/infra", commit, "infra") is None
    assert asked == ["ls-tree", "cat-file", "cat-file", "ls-tree", "cat-file", "cat-file", "cat-file"]


@pytest.mark.parametrize("most", [-1, 0])
def test_blobs_are_remembered_but_not_all(
    tmp_path: Path, work: Work, remote: Remote, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """most: files that are remembered, less those of one commit; a commit with more is remembered alone."""
    work.write("infra/more.tf", "")
    commits = [work.git("rev-parse", "HEAD"), work.commit()]
    one = Mirrors(tmp_path / "data")
    one.fetch(remote, commits)
    monkeypatch.setattr("bot.git.objects._MAX_TREE_PATHS", len(one.blobs("acme/infra", commits[0])) + most)
    mirrors = Mirrors(tmp_path / "data")
    mirrors.blobs("acme/infra", commits[0])
    asked: list[str] = []
    output = Command.output

    def counted(command: Command, mirror: Path, *arguments: str, **more: Any) -> Any:
        asked.append(arguments[-1])
        return output(command, mirror, *arguments, **more)

    monkeypatch.setattr(Command, "output", counted)
    for commit in (commits[0], commits[0], commits[1], commits[1], commits[0]):
        mirrors.blobs("acme/infra", commit)
    assert asked == [commits[1], commits[0]]
    with pytest.raises(UserError, match="no commit"):
        mirrors.blobs("acme/infra", "0" * 40)
