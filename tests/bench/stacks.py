"""Twenty stacks in one pull request, against bare Terraform at the same parallelism."""

from __future__ import annotations

import resource
import statistics
from pathlib import Path

from bot.playground import sample
from bot.playground.world import REPOSITORY, World, until
from tests.bench.bare import seconds
from tests.bench.idle import spent
from tests.bench.plans import bare_of
from tests.bench.report import Figure

STACKS = 20
SLOTS = 2
ROUNDS = 5


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """Push to all stacks of an already planned pull request, so that both sides plan in initialised directories: first
    by hand, then by the bot, and again, since what else the machine does must not fall on one side alone."""
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
        ours, theirs = [], []
        for turn in range(1, ROUNDS + 1):
            before = spent_here()
            hand = seconds(lambda: bare.plan_many(names, "envs/staging.tfvars", SLOTS))
            theirs.append((hand, spent_here() - before))
            sha = touch(world, names, turn)
            pid = world.bot.pid
            before = spent(pid, children=False)
            took = seconds(lambda sha=sha: _planned(world, number, sha))  # type: ignore[misc]
            ours.append((took, spent(pid, children=False) - before))
    ratios = [mine[0] / hand[0] for mine, hand in zip(ours, theirs, strict=True)]
    bot, by_hand = (
        [statistics.median(figures) for figures in zip(*rounds, strict=True)] for rounds in (ours, theirs)
    )
    return [
        Figure(
            "twenty stacks, ratio",
            database,
            statistics.median(ratios),
            1.15,
            "times",
            f"bot {bot[0]:.1f} s ({bot[1]:.1f} s of processors in its own process), bare {by_hand[0]:.1f} s "
            f"({by_hand[1]:.1f} s of processors in all), {SLOTS} at once, medians of {ROUNDS} in turns, {min(ratios):.2f} to "
            f"{max(ratios):.2f}",
        )
    ]


def _planned(world: World, number: int, sha: str) -> None:
    """Wait until all plans of that head stand in the comment."""

    def there() -> bool:
        said = world.status(number)
        return said.count(f"[{sha[:7]}]") >= STACKS and said.count("`/apply staging") >= STACKS

    until(there, what="all plans again", patience=240, every=0.05)


def spent_here() -> float:
    """Processor seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def touch(world: World, names: list[str], turn: int) -> str:
    """One commit that changes every stack."""
    return world.github.commit_files(
        REPOSITORY,
        "ann/all",
        {f"{name}/turn.tf": f"# turn {turn}\n" for name in names},
        author="ann",
        message=f"turn {turn}",
    )
