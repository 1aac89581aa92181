"""A complete world on loopback: stand-ins for GitHub, Slack and a cloud, a sample repository, and the real bot."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bot.domain import exports
from bot.playground import sample
from bot.playground.bot_process import BotProcess, free_port
from bot.playground.clock import Clock
from bot.playground.github.server import GitHubStandIn
from bot.playground.github.timeline_entries import CommentEntry
from bot.playground.orphans import end_orphans
from bot.playground.provider.cloud import Cloud
from bot.playground.provider.health_service import HealthService
from bot.playground.provider.install import install
from bot.playground.shop import ShopDatabases
from bot.playground.slack.server import SlackStandIn
from bot.playground.slack.state import State as SlackState
from bot.sandbox import landlock
from bot.web.keys import Keys

REPOSITORY = "acme/infra"
CHANNEL = "infra"
ROLES = {"ann": "write", "bob": "maintain", "carol": "admin", "dave": "read"}
ENVIRONMENTS = ("ci", "test", "staging", "prod")
T = TypeVar("T")


class World:
    """Stand-ins and the bot. People act through `github` and `slack`; `bot` can be killed and restarted.

    directory: where everything is stored. database_url: empty for SQLite. settings: additional environment variables of
    the bot. files: content of the repository, by default the sample's. port: the bot's, 0 for a free one. writable: what
    Terraform may write to besides the clouds. shop: databases for exports; without them the sample declares none.
    """

    def __init__(
        self,
        directory: Path,
        *,
        database_url: str = "",
        settings: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
        port: int = 0,
        writable: Sequence[Path] = (),
        shop: ShopDatabases | None = None,
    ) -> None:
        self.directory = directory
        self._writable = [str(path) for path in writable]
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        self.github = GitHubStandIn(directory / "github", clock=self.clock.now, read=self.clock.read)
        self.slack = SlackStandIn(SlackState(clock=self.clock.time), read=self.clock.read)
        self.clouds: dict[str, Cloud] = {}
        self.service = HealthService(self.clouds)
        addresses = {name: self.service.address(name) for name in ENVIRONMENTS}
        self.shop = shop
        self._files = dict(files or sample.files(addresses))
        if shop is None and not files:
            del self._files[exports.PATH]
        self._settings = {**(shop.settings() if shop else {}), **(settings or {})}
        self._database_url = database_url
        self._port = port or free_port()
        self._webhook_secret = secrets.token_hex(16)
        self._key = secrets.token_urlsafe(32)
        self.bots: list[BotProcess] = []

    @property
    def bot(self) -> BotProcess:
        """The first of the bot's processes."""
        return self.bots[0]

    def start(self) -> World:
        """Start everything, which takes two or three seconds."""
        url = f"http://127.0.0.1:{self._port}"
        self.github.start()
        self.slack.start()
        self.slack.delivery.bot_url = f"{url}/slack/events"
        self._app = self.github.install_app(
            REPOSITORY.partition("/")[0], webhook_url=f"{url}/github/webhook", secret=self._webhook_secret
        )
        self.github.create_repo(REPOSITORY, self._files, private=True, roles=ROLES)
        for name in ENVIRONMENTS:
            self.clouds[name] = Cloud.create(self.directory / "clouds" / name, self.token(name))
        self.service.start()
        self.bots.append(BotProcess(self.environment(), self.directory / "bot.log", port=self._port))
        self.bot.start()
        return self

    @property
    def console(self) -> str:
        """The URL of the bot's console, including its key."""
        return Keys(self._key).link(self.bot.url, "")

    def token(self, environment: str) -> str:
        """Return the token of an environment's cloud."""
        return f"cloud-token-of-{environment}-{self._key[:12]}"

    def environment(self, *, port: int | None = None, **more: str) -> dict[str, str]:
        """Return the bot's complete environment: settings, and the secrets of each environment under its prefix."""
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
        }
        found = {
            **inherited,
            "PORT": str(port or self._port),
            "TOWPATH_DATA_DIR": str(self.directory / "data"),
            "TOWPATH_DATABASE_URL": self._database_url,
            "TOWPATH_SECRET_KEY": self._key,
            "TOWPATH_TERRAFORM_CLI_CONFIG": str(install(self.directory / "provider")),
            "TOWPATH_SANDBOX": "landlock" if landlock.abi() else "off",
            "TOWPATH_SANDBOX_READ": str(self.directory / "provider"),
            "TOWPATH_SANDBOX_WRITE": ":".join([str(self.directory / "clouds"), *self._writable]),
            "TOWPATH_GITHUB_WRITES_PER_MINUTE": "8000",  # the tour writes as much in a minute as a team does in a day
            "TOWPATH_PLANS_PER_PERSON": "1000",  # and asks for as many plans
            "TOWPATH_PLANS_PER_PULL": "1000",
            "TOWPATH_GITHUB_API_URL": self.github.url,
            "TOWPATH_GITHUB_APP_ID": str(self._app.id),
            "TOWPATH_GITHUB_PRIVATE_KEY": self._app.private_key,
            "TOWPATH_GITHUB_WEBHOOK_SECRET": self._webhook_secret,
            "TOWPATH_SLACK_API_URL": self.slack.api_url,
            "TOWPATH_SLACK_BOT_TOKEN": self.slack.state.bot_token,
            "TOWPATH_SLACK_SIGNING_SECRET": self.slack.state.signing_secret,
            "TOWPATH_SLACK_CHANNEL": self.slack.state.channel(CHANNEL).id,
            "TOWPATH_SLACK_LOGINS": "U0ANN=ann,U0BOB=bob,U0CAROL=carol",
        }
        for name, cloud in self.clouds.items():
            found[f"{name.upper()}_PLAYGROUND_CLOUD_DIR"] = str(cloud.directory)
            found[f"{name.upper()}_PLAYGROUND_TOKEN"] = self.token(name)
        return found | self._settings | more

    def stop(self) -> None:
        """Stop everything that was started."""
        for bot in self.bots:
            bot.stop()
        end_orphans(self.directory / "data")
        self.service.stop()
        self.slack.stop()
        self.github.stop()

    def __enter__(self) -> World:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    # actions of people

    def propose(self, change: str, *, author: str = "ann", title: str = "", branch: str = "") -> int:
        """Open a pull request with one of the sample's changes and return its number."""
        branch = branch or f"{author}/{change}"
        self.github.commit_files(
            REPOSITORY, branch, sample.change(change), author=author, message=title or change
        )
        return self.github.open_pull(
            REPOSITORY, author=author, head=branch, title=title or change.replace("-", " ").capitalize()
        )

    def push(self, change: str, branch: str, *, author: str = "ann") -> str:
        """Push a commit with one of the sample's changes and return its id."""
        return self.github.commit_files(
            REPOSITORY, branch, sample.change(change), author=author, message=change
        )

    def say(self, number: int, text: str, *, author: str = "ann") -> int:
        """Comment on a pull request and return the comment's id."""
        return self.github.comment(REPOSITORY, number, author=author, body=text)

    # what people see

    def comments(self, number: int) -> list[CommentEntry]:
        """Return the bot's comments on a pull request, oldest first."""
        return [
            entry
            for entry in self.github.timeline(REPOSITORY, number)
            if entry["kind"] == "comment" and entry["bot"]
        ]

    def status(self, number: int) -> str:
        """Return the text of the status comment, empty if there is none."""
        found = [entry for entry in self.comments(number) if "<!-- towpath:" in entry["body"]]
        return found[0]["body"] if found else ""

    def reactions(self, number: int, comment_id: int) -> list[str]:
        """Return the bot's reactions to a comment."""
        for entry in self.github.timeline(REPOSITORY, number):
            if entry["kind"] == "comment" and entry["id"] == comment_id:
                return [
                    content
                    for content, logins in entry["reactions"].items()
                    if any(login.endswith("[bot]") for login in logins)
                ]
        return []


def until(look: Callable[[], T], *, what: str, patience: float = 60.0, every: float = 0.05) -> T:
    """Call `look` until it returns something true, and return that. Raises AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {patience:.0f} s: {what}")
        time.sleep(every)
