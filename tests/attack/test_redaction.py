"""Bring the bot's generated key into a comment by encoding it."""

from __future__ import annotations

import base64

import pytest

from bot.storage.key import KEY_FILE
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story

ENCODED = {
    "plain": lambda raw: raw.decode(),
    "hex": lambda raw: raw.hex(),
    "hex_capitals": lambda raw: raw.hex().upper(),
    "base32": lambda raw: base64.b32encode(raw).decode(),
    "base32_small": lambda raw: base64.b32encode(raw).decode().lower().rstrip("="),
    "base64": lambda raw: base64.b64encode(raw + b"\n").decode(),
}


@pytest.mark.own_world
def test_the_generated_key_in_every_encoding(make_world: MakeWorld, holds: Holds) -> None:
    """However somebody came by it: what is in the plan is in the comment, the check and the log."""
    world = make_world(settings={"TOWPATH_SECRET_KEY": ""})
    story = Story(world, "acme/keys", holds=holds)
    key = (world.directory / "data" / KEY_FILE).read_bytes().strip()
    texts = {name: encode(key) for name, encode in ENCODED.items()}
    outputs = "\n".join(f'output "{name}" {{\n  value = "{text}"\n}}' for name, text in texts.items())
    number = story.propose({"infra/keys.tf": outputs})
    status = story.sees(number, "base32_small", 20)
    seen = f"{status}{world.github.timeline(story.repository, number)}"
    shown = [name for name, text in texts.items() if text.rstrip("=")[:40] in seen]
    assert shown == []
