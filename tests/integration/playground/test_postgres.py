"""The playground's Postgres ends with whoever started it."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from bot.playground.postgres import WHEELS, programs
from bot.playground.world import until

pytestmark = pytest.mark.postgres

START = """
import sys
from bot.playground.postgres import running
with running() as server:
    with __import__("psycopg").connect(server.url.render_as_string(hide_password=False)) as connection:
        print(server.url.render_as_string(hide_password=False), connection.execute("SHOW data_directory").fetchone()[0], flush=True)
    sys.stdin.read()
"""


def test_it_is_gone_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    url, data = parent.stdout.readline().split()
    psycopg.connect(url).close()
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until(lambda: not Path(data).exists(), what="no directory")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_first_wheel_that_is_installed_is_used() -> None:
    installed = [one for one in WHEELS if find_spec(one)]
    assert programs() == programs("no_such_wheel", *installed)
    assert not installed or installed[0] in str(programs())
