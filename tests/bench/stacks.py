"""Twenty stacks in one pull request, against bare Terraform at the same parallelism."""

from __future__ import annotations

import time
from pathlib import Path

from bot.playground import sample
from bot.playground.world import REPOSITORY, World, until
from tests.bench.bare import seconds
from tests.bench.plans import bare_of
from tests.bench.report import Figure

STACKS = 20
SLOTS = 2


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """Push to all stacks of an already planned pull request, so that both sides plan in initialised directories."""
    names = [f"stack-{number:02d}" for number in range(STACKS)]
    files = {path: content for path, content in sample.files().items() if not path.startswith("infra/")}
    for name in names:
        files |= {
            path.replace("infra/", f"{name}/", 1): content
            for path, content in sample.files().items()
            if path.startswith("infra/")
        }
    files["envs/environments.toml"] = (
        "".join(f'[stack.{name}]\nroot = "{name}"\n' for name in names).encode()
        + b"[env.staging]\n[env.prod]\n"
    )
    with World(
        directory / "world", database_url=url, files=files, settings={"TOWPATH_SLOTS": str(SLOTS)}
    ) as world:
        touch(world, names, 0)
        number = world.github.open_pull(REPOSITORY, author="ann", head="ann/all", title="All stacks")
        until(
            lambda: world.status(number).count("`/apply staging") >= STACKS,
            what="all first plans",
            patience=240,
            every=0.2,
        )
        bare = bare_of(world, directory / "bare", engine)
        bare.clone("ann/all")
        for name in names:
            bare.init(name)
        sha = touch(world, names, 1)
        began = time.perf_counter()
        until(
            lambda: (
                world.status(number).count(f"[{sha[:7]}]") >= STACKS
                and world.status(number).count("`/apply staging") >= STACKS
            ),
            what="all plans again",
            patience=240,
            every=0.2,
        )
        ours = time.perf_counter() - began
        bare_took = seconds(lambda: bare.plan_many(names, "envs/staging.tfvars", SLOTS))
    return [
        Figure(
            "twenty stacks, ratio",
            database,
            ours / bare_took,
            1.15,
            "times",
            f"bot {ours:.1f} s, bare {bare_took:.1f} s, {SLOTS} at once",
        )
    ]


def touch(world: World, names: list[str], turn: int) -> str:
    """One commit that changes every stack."""
    return world.github.commit_files(
        REPOSITORY,
        "ann/all",
        {f"{name}/turn.tf": f"# turn {turn}\n" for name in names},
        author="ann",
        message=f"turn {turn}",
    )
