"""Any two configurations, one after the other, and back: the world is as it was wherever it can be."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.domain.ports.terraform import Engine
from bot.domain.reverts import classify, compare_with_release
from bot.domain.states.addresses import objects
from bot.playground.provider import Cloud
from bot.terraform import Runner
from tests.integration.terraform.conftest import Bench, confined
from tests.integration.terraform.going_back import HEAD, Road

PLACES = {
    "plain": "playground_server.n{0}",
    "other": "playground_server.m{0}",
    "counted": "playground_server.c{0}[0]",
    "keyed": 'playground_server.all["{0}"]',
    "module": "module.lone{0}.playground_server.this",
    "modules": 'module.each["{0}"].playground_server.this',
}
"""Where a server may be declared: a style, and the address that its number has there."""

PART = """
variable "name" {}
variable "size" {}
variable "image" {}
resource "playground_server" "this" {
  name  = var.name
  size  = var.size
  image = var.image
}
"""


@dataclass(frozen=True)
class Server:
    place: str
    size: str
    image: str


Configuration = dict[int, Server]

SERVERS = st.builds(Server, st.sampled_from(list(PLACES)), st.sampled_from("sm"), st.sampled_from(["a", "b"]))
CONFIGURATIONS = st.dictionaries(st.integers(0, 7), SERVERS, min_size=4)


def files(configuration: Configuration, before: Configuration) -> dict[str, str]:
    """The root module, with `moved` blocks for what was elsewhere `before`."""
    blocks = [HEAD]
    for number, server in configuration.items():
        body = f'  name = "{number}"\n  size = "{server.size}"\n  image = "{server.image}"\n}}\n'
        if server.place in ("plain", "other", "counted"):
            name, _, count = PLACES[server.place].format(number).split(".")[1].partition("[")
            blocks.append(
                f'resource "playground_server" "{name}" {{\n' + ("  count = 1\n" if count else "") + body
            )
        elif server.place == "module":
            blocks.append(f'module "lone{number}" {{\n  source = "./part"\n{body}')
    for place, opening in {
        "keyed": 'resource "playground_server" "all" {\n',
        "modules": 'module "each" {\n  source = "./part"\n',
    }.items():
        every = {
            str(n): {"size": s.size, "image": s.image} for n, s in configuration.items() if s.place == place
        }
        if every:
            given_ = "  name = each.key\n  size = each.value.size\n  image = each.value.image\n}\n"
            blocks.append(f"{opening}  for_each = {json.dumps(every)}\n{given_}")
    for number in configuration.keys() & before.keys():
        ends = [PLACES[each[number].place].format(number) for each in (before, configuration)]
        if ends[0] != ends[1]:
            blocks.append(f"moved {{\n  from = {ends[0]}\n  to = {ends[1]}\n}}\n")
    return {"main.tf": "".join(blocks), "part/main.tf": HEAD + PART}


_NUMBERS = itertools.count()


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(old=CONFIGURATIONS, new=CONFIGURATIONS)
def test_back_is_back(
    embedded_engine: Engine, cli_config: Path, tmp_path: Path, old: Configuration, new: Configuration
) -> None:
    base = tmp_path / str(next(_NUMBERS))
    cloud = Cloud.create(base / "cloud", "staging-token")
    runner = Runner(
        embedded_engine,
        tmp_path / "data",
        os.environ,
        sandbox=confined(tmp_path, cli_config.parent),
        cli_config=cli_config,
    )
    road = Road(Bench(base, runner, cloud))
    roots = road.commit("old", files(old, {})), road.commit("new", files(new, old))
    road.applied(roots[0])
    first = cloud.things("server")
    road.applied(roots[1])
    serial = json.loads(road.state)["serial"]
    added, again = road.back(*roots)
    summary = road.applied(again)

    world = cloud.things("server")
    described = {
        int(thing["name"]): Server(old[int(thing["name"])].place, thing["size"], thing["image"])
        for thing in world.values()
    }
    assert described == old
    kept = {number for number in old if number in new and new[number].image == old[number].image}
    assert {key for key, thing in first.items() if int(thing["name"]) in kept} <= world.keys()
    assert {one.identity for one in objects(road.state).values()} == world.keys()
    if summary.changes:
        assert json.loads(road.state)["serial"] > serial
    classes = classify(summary, road.left["old"])
    assert classes.count("recreate_empty") == len(old.keys() - new.keys())
    assert classes.losses == len(new.keys() - old.keys()) + len(old.keys() & new.keys() - kept)
    proof = compare_with_release(road.left["old"], road.state, summary)
    assert proof.matches, proof
    assert len(proof.recreated) == len(old) - len(kept)
    assert added.warnings == ()
