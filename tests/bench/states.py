"""State versions: how much room a thousand of them take, and how long reading one takes."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import zstandard
from sqlalchemy import Connection, func, select

from bot.domain.states.model import StateInfo, StateVersion
from bot.storage.database import Database
from bot.storage.migrate import migrate
from bot.storage.tables import state_deltas, state_files
from bot.vault import Vault
from tests.bench.report import Figure

SIZE = 5_000_000
COUNT = 1000
KEY = "acme/infra:infra:prod"
CHANGED = 0.01
"""Share of the resources that are other ones in each version."""
READ = 3
"""Times that each of the slowest stretch's versions is read: the quickest counts, for others work here too."""


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """A state of 5 MB of which each apply makes 1 % anew."""
    directory.mkdir(parents=True, exist_ok=True)
    store = Database(url or f"sqlite:///{directory / 'states.db'}", Vault("k" * 32))
    migrate(store.engine)
    state = Changing(random.Random(1))
    one = len(zstandard.compress(state.change()))
    versions, writing = [], 0.0
    for _ in range(COUNT):
        data = state.change()
        begun = time.perf_counter()
        versions.append(write(store, data))
        writing = max(writing, time.perf_counter() - begun)
    with store.read() as tables:
        kept = stored(tables.connection)
    # The slowest are the last of a stretch; two stretches are read whole to know them.
    slowest = max(read(store, version) for version in versions[-100:])
    store.close()
    detail = (
        f"{COUNT} versions of {len(data) / 1e6:.1f} MB in {kept / 1e6:.1f} MB; one copy {one / 1e6:.2f} MB"
    )
    return [
        Figure("states, room", database, kept / one, 40, "copies", detail),
        Figure("states, reading the slowest", database, slowest, 0.2, "s"),
        Figure("states, writing the slowest", database, writing, 2, "s"),
    ]


class Changing:
    """A state of SIZE bytes, as Terraform writes it. Each resource is kept as its text: writing all anew each time would
    take longer than what is measured."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._serial = 0
        first = text(chance, 0)
        self._resources = [first, *(text(chance, number) for number in range(1, SIZE // len(first) + 1))]

    def change(self) -> bytes:
        """What an apply does: 1 % of the resources, wherever they are, and the serial."""
        self._serial += 1
        many = len(self._resources)
        for number in self._chance.sample(range(many), round(many * CHANGED)):
            self._resources[number] = text(self._chance, number)
        head = (
            f'{{"version": 4, "serial": {self._serial}, "lineage": "bench", "outputs": {{}}, "resources": [\n'
        )
        return (head + ",\n".join(self._resources) + "]}\n").encode()


def text(chance: random.Random, number: int) -> str:
    """One resource of a server's kind, with as much of chance in it as ids, addresses and digests have."""
    attributes = {
        "id": f"srv-{chance.getrandbits(64):016x}",
        "arn": f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{chance.getrandbits(68):017x}",
        "name": f"web-{number}",
        "size": chance.choice("sml"),
        "private_ip": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
        "tags": {"env": "prod", "build": f"{chance.getrandbits(80):020x}"},
        "user_data": f"{chance.getrandbits(160):040x}",
        "ports": [chance.randrange(65536) for _ in range(3)],
    }
    instance = {
        "schema_version": 0,
        "attributes": attributes,
        "sensitive_attributes": [],
        "private": "eyJzY2hlbWFfdmVyc2lvbiI6IjAifQ==",
        "dependencies": ["aws_subnet.a", "aws_vpc.main"],
    }
    whole = {
        "mode": "managed",
        "type": "aws_instance",
        "name": f"web_{number}",
        "provider": 'provider["providers.example.com/acme/aws"]',
        "instances": [instance],
    }
    return json.dumps(whole, indent=2)


def write(store: Database, data: bytes) -> StateVersion:
    with store.begin() as tables:
        return tables.states.append(KEY, data, StateInfo.parse(data))


def read(store: Database, version: StateVersion) -> float:
    """Seconds that reading it took: its bytes were what was written, or this raises."""
    best = float("inf")
    for _ in range(READ):
        begun = time.perf_counter()
        with store.read() as tables:
            tables.states.data(version.id)
        best = min(best, time.perf_counter() - begun)
    return best


def stored(connection: Connection) -> int:
    """Bytes of all copies and differences."""
    sizes = [
        connection.execute(select(func.sum(func.length(table.c.file)))).scalar()
        for table in (state_files, state_deltas)
    ]
    return sum(int(size or 0) for size in sizes)
