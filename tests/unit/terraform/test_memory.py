"""How much of a machine's memory Terraform's garbage collector may use up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.domain.ports.terraform import WorkDir
from bot.terraform.cli.env import Environment
from bot.terraform.cli.gc_tuning import available_memory, gc_variables

GB = 1 << 30


def test_half_of_each_share_is_for_the_largest_process() -> None:
    assert gc_variables(8 * GB, 4) == {"GOGC": "400", "GOMEMLIMIT": "1024MiB"}
    assert gc_variables(24 * GB, 2) == {"GOGC": "400", "GOMEMLIMIT": "6144MiB"}


def test_a_small_machine_keeps_the_pace_of_go() -> None:
    assert gc_variables(4 * GB, 4) == {"GOGC": "400", "GOMEMLIMIT": "512MiB"}
    assert gc_variables(4 * GB - 8, 4) == {}
    assert gc_variables(GB, 64) == {}


@pytest.mark.parametrize(
    ("said", "bytes_"), [("268435456\n", 268435456), ("max\n", None), ("9223372036854771712", None)]
)
def test_a_container_has_what_it_is_allowed(tmp_path: Path, said: str, bytes_: int | None) -> None:
    (tmp_path / "memory.max").write_text(said)
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert available_memory([tmp_path / "memory.max", tmp_path / "none"]) == (bytes_ or machine)


def test_what_was_set_for_the_bot_counts_more(tmp_path: Path) -> None:
    ours = gc_variables(8 * GB, 1)
    place = WorkDir(tmp_path)
    made = Environment(ours, tmp_path).for_call(place)
    assert (made["GOGC"], made["GOMEMLIMIT"]) == ("400", "4096MiB")
    made = Environment(ours | {"GOGC": "50"}, tmp_path).for_call(place)
    assert made["GOGC"] == "50"
    of_the_target = Environment(ours | {"GOGC": "50"}, tmp_path).for_call(
        WorkDir(tmp_path, env={"GOGC": "off"})
    )
    assert of_the_target["GOGC"] == "off"
