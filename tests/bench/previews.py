"""Fifty pull requests, each with an instance of its own: opened, updated and merged, against bare Terraform."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bot.domain.previews import Instance
from bot.playground import sample
from bot.playground.world import REPOSITORY, World, until
from bot.storage.database import Database
from bot.vault import Vault
from tests.bench.bare import Bare, seconds
from tests.bench.plans import bare_of
from tests.bench.report import Figure

PULLS = 50
SLOTS = 2
PATIENCE = 900.0
POLICY = b"""[stack.infra]
root = "infra"
[env.test]
on_pull_request = "apply"
instance = "pr-{pr}"
"""


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """The bot's whole time, from the first pull request to the last destroy, and that of the same Terraform by hand at the
    same parallelism. GitHub's limit for writes is raised: it would be the slowest part. The bench watches with one query
    at a time, since it shares the cores with what it measures."""
    files = sample.files() | {"envs/environments.toml": POLICY}
    with (
        World(
            directory / "world", database_url=url, files=files, settings={"TOWPATH_SLOTS": str(SLOTS)}
        ) as world,
        closing(_database(world, url)) as store,
    ):
        bare = bare_of(world, directory / "bare", engine)
        for turn in range(PULLS):
            _push(world, turn, "first")
        bots = seconds(lambda: _by_bot(world, store))
        left = _instances(store)
        hands = seconds(lambda: _by_hand(bare))
    servers = len(world.clouds["test"].things("server"))
    return [
        Figure(
            f"{PULLS} instances, ratio",
            database,
            bots / hands,
            1.2,
            "times",
            f"bot {bots:.1f} s, bare {hands:.1f} s: created, updated, destroyed, {SLOTS} at once",
        ),
        Figure("leaked instances", database, len(left) + servers, 0, "", f"{servers} servers left"),
    ]


def _by_bot(world: World, store: Database) -> None:
    numbers = []
    for turn in range(PULLS):
        branch = _branch(turn)
        numbers.append(world.github.open_pull(REPOSITORY, author="ann", head=branch, title=branch))
    _all_are(world, store, numbers, "up")
    for turn in range(PULLS):
        _push(world, turn, "second")
    _all_are(world, store, numbers, "up")
    for number in numbers:
        world.github.merge_pull(REPOSITORY, number, actor="carol")
    _all_are(world, store, numbers, "gone")


def _branch(turn: int) -> str:
    return f"ann/change-{turn}"


def _file(turn: int, content: str) -> tuple[str, str]:
    """Return path and text of a branch's own file: with one for each, all can be merged."""
    text = f'resource "playground_dns_record" "change_{turn}" {{\n  name  = "{content}-${{local.name}}"\n  value = "192.0.2.1"\n  ttl   = 300\n}}\n'
    return f"infra/change-{turn}.tf", text


def _push(world: World, turn: int, content: str) -> None:
    path, text = _file(turn, content)
    world.github.commit_files(REPOSITORY, _branch(turn), {path: text}, author="ann", message=content)


def _all_are(world: World, store: Database, numbers: list[int], state: str) -> None:
    """Until every instance is in this state, with the pull request's latest commit."""
    repo = world.github.state.repo(REPOSITORY)
    heads = {number: world.github.state.pull(repo, number).head_sha for number in numbers}

    def there() -> bool:
        found = _instances(store)
        if state == "gone":
            return not found
        return all(
            number in found
            and found[number].state == state
            and found[number].commit == head
            and found[number].settled
            for number, head in heads.items()
        )

    until(there, what=f"all instances {state}", patience=PATIENCE, every=0.2)


def _database(world: World, url: str) -> Database:
    environment = world.environment()
    return Database(
        url or f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db",
        Vault(environment["TOWPATH_SECRET_KEY"]),
    )


def _instances(store: Database) -> dict[int, Instance]:
    """Return the instances that are not gone, by pull request."""
    with store.read() as tables:
        return {one.pull: one for one in tables.instances.of_environment(REPOSITORY, "test")}


def _by_hand(bare: Bare) -> None:
    """Each in a directory of its own, as the bot has it: created, updated, destroyed."""
    with ThreadPoolExecutor(SLOTS) as pool:
        list(pool.map(lambda turn: _one_by_hand(bare, turn), range(PULLS)))


def _one_by_hand(bare: Bare, turn: int) -> None:
    one = Bare(
        bare.engine,
        bare.clone_url,
        bare.directory / str(turn),
        bare.environment | {"TF_VAR_towpath_instance": f"hand-{turn}"},
    )
    one.clone(_branch(turn))
    one.init("infra")
    for content in ("first", "second"):
        path, text = _file(turn, content)
        (one.directory / path).write_text(text)
        one.plan("infra", "envs/test.tfvars")
        one.apply("infra")
    one.destroy("infra", "envs/test.tfvars")
