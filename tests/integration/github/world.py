"""What the tests of the GitHub part begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bot.github.client import GitHub, connect
from bot.github.rate_limit import Bucket, Pace
from bot.github.tokens import AppCredentials
from bot.playground.github.records import App
from bot.playground.github.server import GitHubStandIn
from bot.playground.github.user_actions import PullOptions

REPO = "acme/infra"
FILES = {
    "infra/main.tf": "# one\n",
    "README.md": "Infrastructure\n",
    ".github/CODEOWNERS": "* @bob\n",
}
ROLES = {"ann": "write", "bob": "maintain", "carol": "admin", "erin": "triage", "towpath-machine": "write"}


def unpaced() -> Bucket:
    return Bucket(Pace(burst=10_000, per_second=10_000))


@dataclass
class World:
    """`forge` acts as the bot on `hub`; pull request `number` is ann's, from `feature`, at `sha`."""

    hub: GitHubStandIn
    app: App
    forge: GitHub
    number: int
    sha: str
    clients: list[GitHub] = field(default_factory=list)

    @property
    def by_app(self) -> bool:
        return self.forge.checks

    def client(self, **changes: object) -> GitHub:
        """Another client by App, such as with a short timeout."""
        arguments = {
            "app": AppCredentials(str(self.app.id), self.app.private_key),
            "bucket": unpaced(),
            "retry_delay": 0.0,
            **changes,
        }
        made = connect(self.hub.url, **arguments)  # type: ignore[arg-type]
        self.clients.append(made)
        return made

    def sent(self, method: str, path: str) -> int:
        """How many requests of this kind the stand-in carried out."""
        return sum(one.method == method and one.path == path for one in self.hub.exchanges)

    def close(self) -> None:
        for client in [self.forge, *self.clients]:
            client.close()
        self.hub.stop()


def make(root: Path, *, token: bool = False, private: bool = True) -> World:
    hub = GitHubStandIn(root).start()
    hub.create_repo(REPO, FILES, private=private, roles=ROLES)
    app = hub.install_app("acme")
    sha = hub.commit_files(REPO, "feature", {"infra/main.tf": "# two\n"}, author="ann", message="Make it two")
    number = hub.open_pull(REPO, author="ann", head="feature", title="Two", options=PullOptions("Please"))
    if token:
        machine = hub.user("towpath-machine").token
        forge = connect(hub.url + "/api/v3", token=machine, bucket=unpaced(), retry_delay=0.0)
    else:
        forge = connect(
            hub.url,
            app=AppCredentials(str(app.id), app.private_key),
            bucket=unpaced(),
            retry_delay=0.0,
        )
    return World(hub, app, forge, number, sha)
