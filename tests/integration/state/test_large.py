"""A state of 100 MB: taken, kept, read back and compared, within bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fixtures.storage import KEY

MOST = 1 << 30
"""Bytes of memory that all of it may take at its peak: ten times the state."""
SCRIPT = """
import base64, json, resource, sys
from datetime import UTC, datetime, timedelta
from bot.domain.ports.state import Grant
from bot.domain.states import diff_states
from bot.domain.target import Target
from bot.state.backend import Backend
from bot.state.messages import Request
from bot.vault import Vault
from bot.storage.database import Database
from bot.storage.migrate import migrate

url, key = sys.argv[1:]
here = Target("acme/infra", "infra", "staging")
database = Database(url, Vault(key))
migrate(database.engine)
with database.begin() as tables:
    grant = Grant(here.key, "run", write=True, expires_at=datetime.now(UTC) + timedelta(hours=1))
    tables.credentials.issue("run", "password", grant)
headers = {"authorization": "Basic " + base64.b64encode(b"run:password").decode()}
backend = Backend(database)

def state(serial):
    things = [
        {"mode": "managed", "type": "t", "name": f"n{n}", "instances": [
            {"attributes": {"id": str(serial if n < 3 else 0), "body": f"{n:08d}" * 6250}}]}
        for n in range(2000)
    ]
    found = {"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": things}
    return json.dumps(found).encode()

lock = b'{"ID": "one", "Operation": "OperationTypeApply"}'
assert backend.handle(Request("LOCK", here.key, headers, body=lock)).status == 200
for serial in (1, 2):
    data = state(serial)
    assert len(data) > 100_000_000
    answer = backend.handle(Request("POST", here.key, headers, {"ID": "one"}, data))
    assert answer.status == 200, answer.body
read = backend.handle(Request("GET", here.key, headers))
assert read.body == data
del read, data
with database.read() as tables:
    new, old = tables.states.versions(here.key, 9)
    assert not tables.states.damaged([new, old])
    found = diff_states(tables.states.data(old.id), tables.states.data(new.id), ())
print(json.dumps([len(found.changes), new.resources, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_a_state_of_100_mb(sqlite_url: str) -> None:
    """By SQLite; what a database's own server takes is its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, sqlite_url, KEY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    changed, resources, peak = json.loads(done.stdout)
    assert (changed, resources) == (3, 2000)
    assert peak < MOST
