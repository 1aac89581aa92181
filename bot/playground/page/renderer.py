"""The page's templates and their filters."""

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
from bot.playground.page.pull_actions import EMOJI
from bot.playground.page.pull_view import check_appearance
from bot.playground.page.slack_view import names
from bot.playground.world import REPOSITORY, World


class Renderer:
    """Renders templates. Everything is escaped except the sanitised output of `md`, `mrk` and `diff`."""

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
            "md": lambda text: markdown.render(text, links),
            "mrk": lambda text: mrkdwn.render(text, names(world.slack.state), links),
            "diff": markdown.diff,
            "clock": _clock,
            "emoji": lambda content: EMOJI.get(content, content),
            "login": lambda name: name.removesuffix("[bot]"),
            "link": links,
            "version": _version,
            "appearance": check_appearance,
        }
        self._templates.globals |= {"repository": REPOSITORY, "emojis": EMOJI, "shop": world.shop}

    def render(self, name: str, **values: Any) -> str:
        """Return a template as HTML."""
        return self._templates.get_template(name).render(**values)


def _clock(at: datetime | str) -> Markup:
    """Return a local time of day, with the full date and time as its tooltip."""
    moment = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone()
    written = Markup('<time datetime="{}" title="{}">{}</time>')
    return written.format(
        moment.isoformat(), moment.strftime("%d %B %Y, %H:%M:%S %Z"), moment.strftime("%H:%M")
    )


def _version(value: Any) -> str:
    """Return a short digest of a value, by which the page's script sees that an entry has changed."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]
