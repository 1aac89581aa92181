from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.storage.key import KEY_FILE, load_key
from bot.vault import SealError, Vault

OLD, NEW = "old-" * 10, "new-" * 10


def test_opens_what_it_sealed() -> None:
    vault = Vault(OLD)
    data = b"secret" * 1000
    sealed = vault.seal(data, "plans/1")
    assert vault.open(sealed, "plans/1") == data
    assert len(sealed) < 200
    assert b"secret" not in sealed
    assert sealed != vault.seal(data, "plans/1")
    assert vault.open(vault.seal(b"", "x"), "x") == b""


def test_tells_another_key_another_place_and_damage() -> None:
    sealed = Vault(OLD).seal(b"secret", "plans/1")
    with pytest.raises(SealError, match="not among the configured keys"):
        Vault(NEW).open(sealed, "plans/1")
    with pytest.raises(SealError, match="belong to another row"):
        Vault(OLD).open(sealed, "plans/2")
    for place in range(len(sealed)):
        with pytest.raises(SealError):
            Vault(OLD).open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], "plans/1")
        with pytest.raises(SealError):
            Vault(OLD).open(sealed[:place], "plans/1")


def test_the_first_key_seals_and_all_open() -> None:
    sealed = Vault(OLD).seal(b"secret", "x")
    both = Vault(f"{NEW}, {OLD}")
    assert both.open(sealed, "x") == b"secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal(b"more", "x"))
    assert Vault(NEW).open(both.seal(b"more", "x"), "x") == b"more"
    assert both.key_id == Vault(NEW).key_id != Vault(OLD).key_id


@pytest.mark.parametrize("key", ["", " , ", "short", f"{OLD},short"])
def test_refuses_a_short_key(key: str) -> None:
    with pytest.raises(UserError, match="openssl rand"):
        Vault(key)


def test_a_given_key_is_taken(tmp_path: Path) -> None:
    assert load_key(f" {OLD}\n", tmp_path) == OLD
    assert not list(tmp_path.iterdir())


def test_makes_a_key_once(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    key = load_key(None, data)
    assert load_key("", data) == key
    assert Vault(key)
    assert stat.S_IMODE((data / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == [KEY_FILE]


def test_processes_that_race_get_one_key(tmp_path: Path) -> None:
    code = "import sys, pathlib; from bot.storage.key import load_key; sys.stdin.read(); "
    code += "print(load_key(None, pathlib.Path(sys.argv[1])))"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    keys = set()
    for racer in racers:
        assert racer.stdin
        racer.stdin.close()
    for racer in racers:
        assert racer.stdout
        with racer.stdout as output:
            keys.add(output.read())
        assert racer.wait() == 0
    assert len(keys) == 1
