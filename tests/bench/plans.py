"""From a webhook to the plan in the comment, above bare Terraform."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

from bot.playground.world import REPOSITORY, World, until
from tests.bench.bare import Bare, seconds
from tests.bench.report import Figure

ROUNDS = 7
POLICY = b"""[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[env.ci]
on_pull_request = ""
instance = "pr-{pr}"
[env.staging]
[env.prod]
promote_from = "staging"
"""


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """First plans of pull requests, then further plans of one; medians of seven."""
    from bot.playground import sample

    files = sample.files() | {"envs/environments.toml": POLICY}
    with World(directory / "world", database_url=url, files=files) as world:
        bare = bare_of(world, directory / "bare", engine)
        firsts, seconds_ = [], []
        number = 0
        for turn in range(ROUNDS):
            branch = f"ann/first-{turn}"
            number, took = opened(world, branch)
            firsts.append((took, seconds(partial(_by_hand, bare, branch))))
        for turn in range(ROUNDS):
            took = pushed(world, number, branch, turn)
            seconds_.append((took, seconds(lambda: bare.plan("infra", "envs/staging.tfvars"))))
    return [
        _above("first plan, above bare", database, firsts, 1.0),
        _above("second plan, above bare", database, seconds_, 0.5),
    ]


def _by_hand(bare: Bare, branch: str) -> None:
    bare.clone(branch)
    bare.init("infra")
    bare.plan("infra", "envs/staging.tfvars")


def bare_of(world: World, directory: Path, engine: str) -> Bare:
    """Terraform by hand on the same repository and cloud, with a state in a file."""
    cloud, url = (
        world.clouds["staging"],
        world.github.url.replace("http://", f"http://ann:{world.github.user('ann').token}@"),
    )
    environment = world.environment()
    return Bare(
        engine,
        f"{url}/{REPOSITORY}.git",
        directory,
        {
            "TF_CLI_CONFIG_FILE": environment["TOWPATH_TERRAFORM_CLI_CONFIG"],
            "PLAYGROUND_CLOUD_DIR": str(cloud.directory),
            "PLAYGROUND_TOKEN": world.token("staging"),
        },
    )


def opened(world: World, branch: str) -> tuple[int, float]:
    """Open a pull request; seconds from there until its plan stands in the comment."""
    world.push("bigger-web", branch)
    world.github.webhooks.drain()
    began = time.perf_counter()
    number = world.github.open_pull(REPOSITORY, author="ann", head=branch, title=branch)
    until(lambda: "`/apply staging`" in world.status(number), what="the first plan", every=0.02)
    return number, time.perf_counter() - began


def pushed(world: World, number: int, branch: str, turn: int) -> float:
    """Push; seconds from the end of the push until the new plan stands in the comment."""
    text = f"# turn {turn}\n".encode()
    sha = world.github.commit_files(
        REPOSITORY, branch, {"infra/turn.tf": text}, author="ann", message=f"turn {turn}"
    )
    began = time.perf_counter()
    until(
        lambda: f"[{sha[:7]}]" in world.status(number) and "`/apply staging`" in world.status(number),
        what="the next plan",
        every=0.02,
    )
    return time.perf_counter() - began


def _above(name: str, database: str, pairs: list[tuple[float, float]], most: float) -> Figure:
    ours, bare = statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
    return Figure(
        name,
        database,
        ours - bare,
        most,
        "s",
        f"bot {ours:.2f} s, bare {bare:.2f} s, {ours / bare:.2f} times",
    )
