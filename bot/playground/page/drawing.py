"""The templates, and what they may use."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from bot.playground.page import markdown, mrkdwn
from bot.playground.page.links import Links
from bot.playground.page.pull_acts import EMOJI
from bot.playground.page.pull_view import look_of
from bot.playground.page.slack_view import names
from bot.playground.world import REPOSITORY, World


class Drawing:
    """Draws templates: everything is escaped but what `md`, `mrk` and `diff` have made harmless."""

    def __init__(self, world: World) -> None:
        links = Links(world.github.url, world.slack.url, REPOSITORY)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=ChainableUndefined,
        )
        self._templates.filters |= {
            "md": lambda text: markdown.rendered(text, links),
            "mrk": lambda text: mrkdwn.shown(text, names(world.slack.state), links),
            "diff": markdown.diff,
            "clock": _clock,
            "emoji": lambda content: EMOJI.get(content, content),
            "login": lambda name: name.removesuffix("[bot]"),
            "link": links,
            "version": _version,
            "look": look_of,
        }
        self._templates.globals |= {"repository": REPOSITORY, "emojis": EMOJI}

    def draw(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(**values)


def _clock(at: datetime | str) -> Markup:
    """A moment as its local time of day, with the whole of it on hovering."""
    moment = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone()
    written = Markup('<time datetime="{}" title="{}">{}</time>')
    return written.format(
        moment.isoformat(), moment.strftime("%d %B %Y, %H:%M:%S %Z"), moment.strftime("%H:%M")
    )


def _version(thing: Any) -> str:
    """A short digest: an entry whose digest is another one than before has changed."""
    return hashlib.sha256(json.dumps(thing, sort_keys=True, default=str).encode()).hexdigest()[:12]
