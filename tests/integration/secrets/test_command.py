"""The secrets command, run for real: what it gets, what counts, and what happens if it fails."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.secrets import SecretsCommand

STAGING = SecretsScope("acme/infra", "staging", "STAGING_")
SECRET = "hunter2-never-shown"


class Vault:
    """A vault's command line: a script of Python, and a count of its runs."""

    def __init__(self, directory: Path) -> None:
        self.script, self.runs = directory / "vault.py", directory / "runs"
        self.now = 0.0

    def command(
        self, code: str, *arguments: str, timeout: float = 10.0, keep: float = 60.0, **variables: str
    ) -> SecretsCommand:
        self.script.write_text(
            f"import json, os, sys, time\nopen({str(self.runs)!r}, 'a').write('x')\n{code}"
        )
        words = [sys.executable, "-IS", str(self.script), *arguments]
        return SecretsCommand(words, variables, timeout=timeout, keep=keep, timer=lambda: self.now)

    @property
    def count(self) -> int:
        return len(self.runs.read_text())


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_its_arguments_and_its_clean_environment(vault: Vault) -> None:
    code = "print(json.dumps({'ARGUMENTS': ' '.join(sys.argv[1:]), 'GOT': ' '.join(sorted(os.environ))}))"
    command = vault.command(
        code, "--path={repository}/{env}", "a b", LC_CTYPE="C.UTF-8", VAULT_ADDR="https://v"
    )
    assert command.by_phase(STAGING) == {
        "": {"ARGUMENTS": "--path=acme/infra/staging a b", "GOT": "LC_CTYPE VAULT_ADDR"}
    }
    assert vault.count == 1


def test_with_a_phase_it_runs_for_plans_and_for_applies(vault: Vault) -> None:
    command = vault.command("print('KEY=of-' + sys.argv[1])", "{phase}")
    assert command.by_phase(STAGING) == {"PLAN_": {"KEY": "of-plan"}, "APPLY_": {"KEY": "of-apply"}}
    assert vault.count == 2


def test_the_output_is_kept_for_a_while(vault: Vault) -> None:
    command = vault.command("print('KEY=x')", "{env}")
    for _ in range(3):
        command.by_phase(STAGING)
    assert vault.count == 1
    command.by_phase(SecretsScope("acme/infra", "prod", "PROD_"))
    assert vault.count == 2
    vault.now = 60.0
    command.by_phase(STAGING)
    assert vault.count == 3


def test_kept_for_no_time_it_runs_each_time(vault: Vault) -> None:
    command = vault.command("print('KEY=x')", keep=0.0)
    command.by_phase(STAGING)
    command.by_phase(STAGING)
    assert vault.count == 2


def test_those_who_ask_at_once_share_one_run(vault: Vault) -> None:
    command = vault.command("time.sleep(0.3)\nprint('KEY=x')")
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(command.by_phase(STAGING))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"": {"KEY": "x"}}] * 4
    assert vault.count == 1


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            f"print('KEY={SECRET}', flush=True)\nprint('{SECRET}', file=sys.stderr)\nsys.exit(2)",
            "exited with 2",
        ),
        (f"print('KEY={SECRET}', flush=True)\nos.kill(os.getpid(), 9)", "was killed by signal 9"),
        ("", "printed nothing"),
        (f"print('{SECRET}')", "neither a JSON object nor lines"),
        (f"print('KEY={SECRET}' + 'x' * (1 << 20))", "printed more than 1 MB"),
    ],
)
def test_a_failure_is_told_without_its_output(
    vault: Vault, capfd: pytest.CaptureFixture[str], code: str, told: str
) -> None:
    command = vault.command(code, "{env}", VAULT_ADDR="https://v")
    with pytest.raises(SecretsUnavailable) as caught:
        command.by_phase(STAGING)
    error = caught.value
    assert error.what.startswith("The secrets of `staging` could not be read: TOWPATH_SECRETS_COMMAND ")
    assert told in error.what
    assert "towpath doctor" in error.next_step
    assert (
        error.by_hand
        == f'env -i VAULT_ADDR="$VAULT_ADDR" {sys.executable} -IS {vault.script} staging >/dev/null'
    )
    assert SECRET not in f"{error} {error.by_hand} {error.__context__!r} {capfd.readouterr()}"


def test_a_program_that_does_not_exist() -> None:
    command = SecretsCommand(["/nowhere/vault"], {}, timeout=5.0, keep=60.0)
    with pytest.raises(SecretsUnavailable, match="could not be started: No such file or directory"):
        command.by_phase(STAGING)


def test_one_that_is_slow_is_killed_with_what_it_started(vault: Vault, tmp_path: Path) -> None:
    code = (
        "import subprocess\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    command = vault.command(code, timeout=1.0)
    with pytest.raises(SecretsUnavailable, match="did not end within 1 s"):
        command.by_phase(STAGING)
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_what_it_leaves_running_with_its_output_open_keeps_nobody_waiting(vault: Vault) -> None:
    code = (
        "import subprocess\nprint('KEY=x', flush=True)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    assert vault.command(code, timeout=20.0).by_phase(STAGING) == {"": {"KEY": "x"}}


def test_a_failure_counts_for_some_seconds(vault: Vault) -> None:
    command = vault.command("sys.exit(1)")
    for seconds, runs in ((0.0, 1), (1.0, 1), (2.0, 2)):
        vault.now = seconds
        with pytest.raises(SecretsUnavailable, match="exited with 1"):
            command.by_phase(STAGING)
        assert vault.count == runs


def test_one_phase_that_fails_leaves_none(vault: Vault) -> None:
    command = vault.command("print('KEY=x') if sys.argv[1] == 'plan' else sys.exit(3)", "{phase}")
    with pytest.raises(SecretsUnavailable, match="exited with 3"):
        command.by_phase(STAGING)
