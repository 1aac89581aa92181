"""Worktrees: put back byte for byte, whatever happened to them and whatever the repository tries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.ports.git import Remote
from bot.git import Mirrors
from tests.integration.git.work import Work


def _content(root: Path) -> Mapping[str, bytes]:
    return {
        str(file.relative_to(root)): os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
        for file in root.rglob("*")
        if file.is_symlink() or file.is_file()
    }


def test_checks_out_and_puts_back(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path) -> None:
    script = work.write("infra/run.sh", "#!/bin/sh\n")
    script.chmod(0o755)
    commit = work.commit()
    mirrors.fetch(remote, [commit])
    tree = tmp_path / "trees" / "plan"
    assert mirrors.checkout("acme/infra", commit, tree) == work.git("rev-parse", f"{commit}^{{tree}}")
    clean = _content(tree)
    assert clean == {k: v for k, v in _content(work.path).items() if not k.startswith(".git/")}
    assert not (tree / ".git").exists()
    assert os.access(tree / "infra/run.sh", os.X_OK)

    before = (tree / "envs/dev.tfvars").stat()
    (tree / "envs/dev.tfvars").write_text("size = 9\n")  # same size, and the time set back
    os.utime(tree / "envs/dev.tfvars", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tree / "infra/main.tf").unlink()
    (tree / "infra/run.sh").chmod(0o644)
    (tree / "infra/more.tf").write_text("")
    (tree / "junk/deep").mkdir(parents=True)
    (tree / "junk/deep/file").write_text("")
    (tree / "infra/out").symlink_to("/etc")
    mirrors.checkout("acme/infra", commit, tree)
    assert _content(tree) == clean
    assert os.access(tree / "infra/run.sh", os.X_OK)
    assert not (tree / "junk").exists()


def test_a_directory_swapped_for_a_link_is_not_followed(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    commit = work.git("rev-parse", "HEAD")
    mirrors.fetch(remote, [commit])
    mirrors.checkout("acme/infra", commit, tmp_path / "tree")
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").write_text("here")
    (tmp_path / "tree/infra/main.tf").unlink()
    (tmp_path / "tree/infra").rmdir()
    (tmp_path / "tree/infra").symlink_to(other)
    mirrors.checkout("acme/infra", commit, tmp_path / "tree")
    assert not (tmp_path / "tree/infra").is_symlink()
    assert (tmp_path / "tree/infra/main.tf").is_file()
    assert [file.name for file in other.iterdir()] == ["precious"]


def test_what_terraform_and_the_bot_need_stays(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    first = work.git("rev-parse", "HEAD")
    work.write("infra/.terraform.lock.hcl", "tracked")
    second = work.commit()
    mirrors.fetch(remote, [first, second])
    tree = tmp_path / "tree"
    mirrors.checkout("acme/infra", first, tree)
    for name in (".terraform/x", ".terraform.lock.hcl", "zz_towpath_override.tf", ".towpath/plan"):
        (tree / "infra" / name).parent.mkdir(exist_ok=True)
        (tree / "infra" / name).write_text("mine")
    mirrors.checkout("acme/infra", first, tree)
    assert (tree / "infra/.terraform.lock.hcl").read_text() == "mine"
    mirrors.checkout("acme/infra", second, tree)
    assert (tree / "infra/.terraform.lock.hcl").read_text() == "tracked"
    for name in (".terraform/x", "zz_towpath_override.tf", ".towpath/plan"):
        assert (tree / "infra" / name).read_text() == "mine"
    mirrors.checkout("acme/infra", first, tree)
    assert not (tree / "infra/.terraform.lock.hcl").exists()


def test_a_hostile_repository_runs_nothing_and_leaves_its_tree_nowhere(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    owned = tmp_path / "owned"
    work.write(
        ".git/info/attributes", "* -text !eol -filter -ident !working-tree-encoding\n"
    )  # ann's git only
    work.write(
        ".gitattributes", "*.tf filter=evil text eol=crlf\n*.id ident\n*.txt working-tree-encoding=UTF-16\n"
    )
    work.write("a.id", "$Id$\n")
    work.write("a.txt", "plain\n")
    work.write('odd/new\nline "quoted".tf', "x\n")
    work.write(".gitmodules", f'[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "touch {owned}"\n')
    work.write(".lfs.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    for name, leads_to in {
        "absolute": "/etc/passwd",
        "upwards": "../outside",
        "chain": "infra/hop",
        "infra/hop": "../../outside",
        "infra/fine.tf": "main.tf",
        "top": ".",
    }.items():
        (work.path / name).symlink_to(leads_to)
    (work.path / "s").mkdir()
    work.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},s")
    commit = work.commit(push="")
    work.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    config = tmp_path / "config"
    config.write_text(f'[filter "evil"]\n\tsmudge = touch {owned}\n[core]\n\tfsmonitor = touch {owned}\n')
    mirrors = Mirrors(
        tmp_path / "data", environment={"GIT_CONFIG": str(config), "XDG_CONFIG_HOME": str(tmp_path)}
    )
    mirrors.fetch(remote, [commit])
    tree = tmp_path / "tree"
    for _ in range(2):
        mirrors.checkout("acme/infra", commit, tree)
        assert not owned.exists()
        assert (tree / "infra/main.tf").read_bytes() == b'resource "terraform_data" "a" {}\n'
        assert (tree / "a.id").read_bytes() == b"$Id$\n"
        assert (tree / "a.txt").read_bytes() == b"plain\n"
        assert (tree / "odd" / 'new\nline "quoted".tf').read_bytes() == b"x\n"
        assert (tree / ".lfs.bin").read_bytes().startswith(b"version https://git-lfs")
        assert not list((tree / "s").iterdir())
        assert (tree / "infra/fine.tf").is_symlink()
        assert (tree / "top").is_symlink()
        for name, leads_to in {
            "absolute": "/etc/passwd",
            "upwards": "../outside",
            "chain": "infra/hop",
        }.items():
            assert not (tree / name).is_symlink()
            assert (tree / name).read_text() == leads_to
    assert "s" not in mirrors.files("acme/infra", commit)


def test_a_place_that_is_not_ours_is_left_alone(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    commit = work.git("rev-parse", "HEAD")
    mirrors.fetch(remote, [commit])
    with pytest.raises(FileExistsError):
        mirrors.checkout("acme/infra", commit, work.path)
    mirrors.remove(work.path)
    mirrors.remove(tmp_path / "nothing")
    assert (work.path / "infra/main.tf").exists()


def test_garbage_is_what_nobody_keeps(mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path) -> None:
    commit = work.git("rev-parse", "HEAD")
    mirrors.fetch(remote, [commit])
    kept, dropped = tmp_path / "trees/kept", tmp_path / "trees/dropped"
    for tree in (kept, dropped):
        mirrors.checkout("acme/infra", commit, tree)
    (dropped / "infra/.terraform").mkdir()
    (dropped / "infra/.terraform").chmod(0o500)
    assert mirrors.collect([kept], older_than=timedelta(hours=1)) == []
    assert mirrors.collect([kept], older_than=timedelta(hours=-1)) == [dropped]
    assert kept.is_dir()
    assert not dropped.exists()
    mirrors.remove(kept)
    assert not kept.exists()
    assert mirrors.files("acme/infra", commit)


def test_a_checkout_that_was_killed_is_finished(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    commit = work.git("rev-parse", "HEAD")
    mirrors.fetch(remote, [commit])
    tree = tmp_path / "tree"
    mirrors.checkout("acme/infra", commit, tree)
    record = next((tmp_path / "data/git/worktrees").glob("*/index")).parent
    (record / "index.lock").write_bytes(b"")
    (tree / "envs/dev.tfvars").write_text("si")
    mirrors.checkout("acme/infra", commit, tree)
    (record / "index").write_bytes(b"broken")
    mirrors.checkout("acme/infra", commit, tree)
    assert (tree / "envs/dev.tfvars").read_text() == "size = 1\n"


def test_becomes_another_and_writes_only_what_differs(
    mirrors: Mirrors, work: Work, remote: Remote, tmp_path: Path
) -> None:
    work.write("infra/same.tf", "# same\n")
    before = work.commit()
    work.write("infra/main.tf", "# changed\n")
    after = work.commit()
    mirrors.fetch(remote, [before, after])
    old, new, third = (tmp_path / "trees" / name for name in ("old", "new", "third"))
    mirrors.checkout("acme/infra", before, old)
    (old / "infra/.terraform").mkdir()
    for left in ("infra/.terraform.lock.hcl", "infra/.terraform/left", "infra/left.tf"):
        (old / left).write_text("left")
    (old / "envs/dev.tfvars").write_text("size = 9\n")
    same = (old / "infra/same.tf").stat().st_ino

    assert mirrors.move(old, new)
    assert not old.exists()
    assert mirrors.checkout("acme/infra", after, new) == work.git("rev-parse", f"{after}^{{tree}}")
    fresh = tmp_path / "trees" / "fresh"
    mirrors.checkout("acme/infra", after, fresh)
    assert _content(new) == _content(fresh)
    assert (new / "infra/same.tf").stat().st_ino == same

    assert not mirrors.move(old, third), "it is no worktree any more"
    assert not mirrors.move(fresh, new), "there is one already"
    assert not third.exists()
    mirrors.checkout("acme/infra", before, old)
    assert (old / "infra/main.tf").read_text() != "# changed\n"
    mirrors.remove(old)
    mirrors.remove(new)
    assert not old.exists()
    assert not new.exists()
