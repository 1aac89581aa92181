"""What owners set up on GitHub: users, Apps, webhooks and teams."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.playground.github import teams, views
from bot.playground.github.access import installation_covers
from bot.playground.github.records import App, Hook, Repo, Team, User
from bot.playground.github.state import State

EVENTS = frozenset(
    ["issue_comment", "pull_request", "pull_request_review", "check_run", "merge_group", "push"]
)
PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "members": "read",
    "merge_queues": "read",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "actions": "read",
    "deployments": "write",
}
"""Permissions of Towpath's App. It never writes contents."""


class AdminActions:
    """Setup actions. They take logins and `owner/name`, and create missing users and organisations."""

    state: State

    def user(self, login: str, kind: Literal["User", "Organization", "Bot"] = "User") -> User:
        """Return the user with this login, creating it if missing. `.token` works for the API and for git."""
        with self.state.change():
            found = self.state.users.get(login.lower())
            if found is None:
                token = f"ghp_{secrets.token_hex(18)}" if kind == "User" else ""
                found = User(self.state.next_id(), login, kind, self.state.now(), token)
                self.state.users[login.lower()] = found
        return found

    def install_app(
        self,
        account: str,
        *,
        slug: str = "towpath",
        webhook_url: str = "",
        secret: str = "",
        permissions: Mapping[str, str] = PERMISSIONS,
        repositories: Iterable[str] = (),
    ) -> App:
        """Create an App and install it on an account, for all repositories or those given. `.private_key` is PEM."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        owner, bot = self.user(account, "Organization"), self.user(f"{slug}[bot]", "Bot")
        state = self.state
        with state.change():
            hook = Hook(state.next_id(), webhook_url, secret, EVENTS) if webhook_url else None
            app = App(
                id=state.next_id(),
                slug=slug,
                account=owner,
                owner=owner,
                bot=bot,
                installation_id=state.next_id(),
                public_key=public.decode(),
                private_key=private.decode(),
                permissions=dict(permissions),
                created_at=state.now(),
                hook=hook,
                repositories={name.lower() for name in repositories},
            )
            state.apps[app.id] = app
        return app

    def add_hook(self, repo: str, url: str, secret: str, events: Iterable[str] = EVENTS) -> Hook:
        """Add a webhook to a repository, for a bot that uses a token and no App."""
        with self.state.change():
            hook = Hook(
                self.state.next_id(), url, secret, frozenset(events), self._repo(repo).full_name.lower()
            )
            self.state.hooks.append(hook)
        return hook

    def select_repositories(
        self, app: App, *, added: Iterable[str] = (), removed: Iterable[str] = (), actor: str
    ) -> None:
        """Change the repositories of an App's installation, which then covers selected repositories only."""
        state, user = self.state, self._user(actor)
        more, fewer = [self._repo(name) for name in added], [self._repo(name) for name in removed]
        with state.change():
            covered = {name for name, repo in state.repos.items() if installation_covers(app, repo)}
            app.repositories = (covered | {repo.full_name.lower() for repo in more}) - {
                repo.full_name.lower() for repo in fewer
            }
            payload = {
                "action": "added" if more else "removed",
                "installation": views.installation(state, app),
                "repository_selection": "selected",
                "repositories_added": [_brief(repo) for repo in more],
                "repositories_removed": [_brief(repo) for repo in fewer],
                "requester": None,
            }
            state.emit("installation_repositories", None, payload, user)

    def create_team(
        self,
        org: str,
        slug: str,
        members: Iterable[str] = (),
        *,
        roles: Mapping[str, str] | None = None,
        parent: str = "",
    ) -> Team:
        """Create a team. roles: `owner/name` to the team's role. parent: slug of the parent team."""
        people = [self.user(login) for login in members]
        return teams.create(self.state, self.user(org, "Organization"), slug, people, roles or {}, parent)

    def rename_team(self, org: str, slug: str, new: str) -> None:
        """Change a team's slug. The old one no longer works."""
        teams.rename(self.state, teams.find(self.state, self._user(org), slug), new)

    def delete_team(self, org: str, slug: str) -> None:
        """Delete a team and its child teams."""
        teams.delete(self.state, teams.find(self.state, self._user(org), slug))

    def set_members(self, org: str, slug: str, members: Iterable[str]) -> None:
        """Replace the members of a team."""
        people = {self.user(login).login.lower() for login in members}
        with self.state.change():
            teams.find(self.state, self._user(org), slug).members = people

    def set_team_role(self, full_name: str, slug: str, role: str) -> None:
        """Set a team's role in a repository of its organisation; `none` removes it."""
        with self.state.change():
            team = teams.find(self.state, self._repo(full_name).owner, slug)
            teams.grant_role(self.state, team, full_name, role)

    def _user(self, login: str) -> User:
        return self.state.user(login)

    def _repo(self, full_name: str) -> Repo:
        return self.state.repo(full_name)


def _brief(repo: Repo) -> dict[str, Any]:
    return {
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
    }
