"""Commits that are too large, too deep or made to be expensive."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.ports.git import Remote
from bot.domain.refusal import Refusal
from bot.git import Mirrors
from bot.git import limits as git_limits
from bot.git.limits import MAX_BLOB, MAX_DEPTH, MAX_PATHS
from tests.integration.git.work import Work, make_deep

REPOSITORY = "acme/infra"
DEEP = "/".join(["d"] * 1000)


def refused(mirrors: Mirrors, commit: str, path: Path, base: str) -> list[str]:
    """What each way to read a commit is refused with."""
    ways = [
        lambda: mirrors.files(REPOSITORY, commit),
        lambda: mirrors.blobs(REPOSITORY, commit),
        lambda: mirrors.changed(REPOSITORY, base, commit),
        lambda: mirrors.checkout(REPOSITORY, commit, path),
    ]
    said = []
    for way in ways:
        with pytest.raises(Refusal) as refusal:
            way()
        assert refusal.value.code == "too-large"
        assert refusal.value.next_step
        said.append(refusal.value.what)
    assert not path.exists()
    return said


def test_too_many_files(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path) -> None:
    base = work.git("rev-parse", "HEAD")
    commit = work.commit_paths(f"many/{number // 100}/{number}" for number in range(MAX_PATHS))
    mirrors.fetch(remote, [base, commit])
    assert set(refused(mirrors, commit, tmp_path / "wt", base)) == {
        f"`{commit[:7]}` has more than 50,000 files and directories, the most that Towpath reads of a commit."
    }


def test_as_many_as_allowed(tmp_path: Path, work: Work, remote: Remote) -> None:
    commit = work.commit_paths(f"many/{number}" for number in range(10))
    # with `many`, `infra`, `envs` and one file in each of these
    enough, few = (
        Mirrors(tmp_path / "data", max_paths=15),
        Mirrors(tmp_path / "data", max_paths=14),
    )
    enough.fetch(remote, [commit])
    assert len(enough.files(REPOSITORY, commit)) == 12
    with pytest.raises(Refusal, match="more than 14 files"):
        few.files(REPOSITORY, commit)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 1000, 3000])
def test_too_deep(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path, depth: int) -> None:
    base = work.git("rev-parse", "HEAD")
    name = "/".join(["d"] * depth + ["main.tf"])
    commit = work.commit_paths([name])
    if depth == MAX_DEPTH:
        mirrors.fetch(remote, [base, commit])
        assert mirrors.changed(REPOSITORY, base, commit) == [name]
        mirrors.checkout(REPOSITORY, commit, tmp_path / "wt")
        assert (tmp_path / "wt" / name).is_file()
        return
    mirrors.fetch(remote, [base, commit])
    for text in refused(mirrors, commit, tmp_path / "wt", base):
        assert f"`{commit[:7]}` has a directory more than 100 levels deep: `d/d/d/" in text


@pytest.mark.parametrize("name", ["n" * 256, "/".join(["n" * 200] * 6)])
def test_too_long(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path, name: str) -> None:
    base = work.git("rev-parse", "HEAD")
    commit = work.commit_paths([name])
    mirrors.fetch(remote, [base, commit])
    for text in refused(mirrors, commit, tmp_path / "wt", base):
        assert "has a path of more than 1,000 bytes or a name of more than 255: `nnn" in text


def test_long_paths_in_total(tmp_path: Path, work: Work, remote: Remote) -> None:
    base = work.git("rev-parse", "HEAD")
    commit = work.commit_paths(f"{'n' * 250}/{number}{'n' * 240}" for number in range(100))
    mirrors = Mirrors(tmp_path / "data", max_paths=200)
    mirrors.fetch(remote, [base, commit])
    said = refused(mirrors, commit, tmp_path / "wt", base)
    assert set(said) == {
        f"`{commit[:7]}` has paths of more than 0.04 MB in total, the most that Towpath reads."
    }


def test_millions_of_empty_directories_in_a_few_objects(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    base = work.git("rev-parse", "HEAD")
    tree = work.make_tree("")
    for _ in range(40):
        tree = work.make_tree(f"040000 tree {tree}\ta\n040000 tree {tree}\tb\n")
    commit = work.commit_tree(tree)
    mirrors.fetch(remote, [base, commit])
    assert "more than 50,000 files and directories" in refused(mirrors, commit, tmp_path / "wt", base)[0]


def test_too_many_changes(
    mirrors: Mirrors, work: Work, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = work.git("rev-parse", "HEAD")
    few = work.commit_paths(f"many/{number}" for number in range(50))
    many = work.commit_paths(f"many/{number}" for number in range(51))
    mirrors.fetch(remote, [base, few, many])
    monkeypatch.setattr(git_limits, "MAX_CHANGED", 50)
    assert len(mirrors.changed(REPOSITORY, base, few)) == 50
    with pytest.raises(Refusal, match=f"`{many[:7]}` differs from `{base[:7]}` in more than 50 files"):
        mirrors.changed(REPOSITORY, base, many)


def test_a_large_file_is_refused_by_name(mirrors: Mirrors, work: Work, remote: Remote) -> None:
    work.write("infra/fits.tf", b"#" * MAX_BLOB)
    work.write("infra/large.tf", b"#" * (MAX_BLOB + 1))
    commit = work.commit()
    mirrors.fetch(remote, [commit])
    assert mirrors.read(REPOSITORY, commit, "infra/fits.tf") == b"#" * MAX_BLOB
    with pytest.raises(Refusal, match=r"`infra/large.tf` at .* is larger than 8 MB"):
        mirrors.read(REPOSITORY, commit, "infra/large.tf")


def test_deep_directories_are_removed_from_worktrees(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    """Terraform may leave what no commit may have: untracked, in a directory that stays, and without permissions."""
    commit = work.git("rev-parse", "HEAD")
    mirrors.fetch(remote, [commit])
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        mirrors.checkout(REPOSITORY, commit, path)
        for below in ("left", "infra/left", ".terraform/modules"):
            make_deep(path / below, [f"{number:04}" * 20 for number in range(1500)])
    (other / "left").chmod(0)
    mirrors.checkout(REPOSITORY, commit, one)
    assert not (one / "left").exists()
    assert not (one / "infra/left").exists()
    assert (one / ".terraform/modules").is_dir()
    mirrors.remove(one)
    assert not one.exists()
    mirrors.collect([], older_than=timedelta(0))
    assert not other.exists()


def test_a_long_chain_of_links_is_cut(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path) -> None:
    for number in range(2000):
        (work.path / f"link{number}").symlink_to(f"link{number + 1}")
    commit = work.commit()
    mirrors.fetch(remote, [commit])
    mirrors.checkout(REPOSITORY, commit, tmp_path / "wt")
    assert not (tmp_path / "wt/link0").is_symlink()
    assert (tmp_path / "wt/link0").read_text() == "link1"
    assert (tmp_path / "wt/link1999").is_symlink()
