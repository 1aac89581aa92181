"""Organisations' teams: who is in them, what they may do, and who may see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.records import Team, User
from bot.playground.github.state import ROLES, Refusal, State

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def create(
    state: State, org: User, slug: str, members: Iterable[User], roles: Mapping[str, str], parent: str = ""
) -> Team:
    """A team with a role in some repositories (`owner/name` → role), below `parent` where one is named.

    Raises Refusal 422 for a name that is taken or no slug, 404 for an unknown parent or repository.
    """
    _free(state, org, slug)
    above = find(state, org, parent) if parent else None
    with state.change():
        made = Team(state.next_id(), org, slug, state.now(), {one.login.lower() for one in members}, above)
        for full_name, role in roles.items():
            grant(state, made, full_name, role)
        if above:
            above.below.append(made)
        state.teams[made.id] = made
    return made


def find(state: State, org: User, slug: str) -> Team:
    """Raises Refusal 404; a team that was renamed is not found by its old name."""
    for team in state.teams.values():
        if team.org is org and team.slug == slug.lower():
            return team
    raise Refusal(404, "Not Found")


def grant(state: State, team: Team, full_name: str, role: str) -> None:
    """Give a team (and those below it) a role in one of the organisation's repositories; `none` takes it away."""
    repo = state.repo(full_name)
    if role not in ROLES:
        raise ValueError(f"no role {role!r}")
    if repo.owner is not team.org:
        raise Refusal(404, "Not Found")
    repo.teams = [(one, had) for one, had in repo.teams if one is not team]
    if role != "none":
        repo.teams.append((team, role))


def rename(state: State, team: Team, slug: str) -> None:
    _free(state, team.org, slug)
    with state.change():
        team.slug = slug


def delete(state: State, team: Team) -> None:
    """GitHub: the teams below it go with it, and all their access."""
    with state.change():
        gone = [one for one in state.teams.values() if team in one.line()]
        if team.parent:
            team.parent.below.remove(team)
        for one in gone:
            del state.teams[one.id]
        for repo in state.repos.values():
            repo.teams = [(one, role) for one, role in repo.teams if one not in gone]


def _free(state: State, org: User, slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise invalid("Team", "name", "invalid")
    if any(team.org is org and team.slug == slug for team in state.teams.values()):
        raise invalid("Team", "name", "already_exists", "Name must be unique for this org")


def view(state: State, team: Team) -> dict[str, Any]:
    org, times = team.org, views.stamp(team.created_at)
    url, page = f"{state.url}/organizations/{org.id}/team/{team.id}", f"{state.url}/{org.login}"
    mine = [repo for repo in state.repos.values() if any(one in team.line() for one, _ in repo.teams)]
    return {
        "id": team.id,
        "node_id": f"T_{team.id}",
        "url": url,
        "html_url": f"{state.url}/orgs/{org.login}/teams/{team.slug}",
        "name": team.slug,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "created_at": times,
        "updated_at": times,
        "members_count": len(team.all_members()),
        "repos_count": len(mine),
        "parent": None,
        "organization": {
            **views.organisation(state, org),
            "html_url": page,
            "has_organization_projects": True,
            "has_repository_projects": True,
            "public_repos": sum(repo.owner is org and not repo.private for repo in state.repos.values()),
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "type": "Organization",
            "created_at": views.stamp(org.created_at),
            "updated_at": views.stamp(org.created_at),
            "archived_at": None,
        },
    }


def _seen(call: Call) -> Team:
    """The team in the path, for those who may see the organisation's: an App by `members`, else its own people."""
    state, actor = call.state, call.actor
    org = state.user(call.path["org"])
    if actor.app:
        if actor.is_app_itself or actor.app.permissions.get("members", "none") == "none":
            raise Refusal(403, "Resource not accessible by integration")
        if actor.app.account is not org:
            raise Refusal(404, "Not Found")
    elif not belongs(state, org, call.user):
        raise Refusal(404, "Not Found")
    return find(state, org, call.path["slug"])


def belongs(state: State, org: User, user: User) -> bool:
    """Whether somebody is of an organisation: in one of its teams, or with a role in one of its repositories."""
    login = user.login.lower()
    teams = any(team.org is org and login in team.members for team in state.teams.values())
    return teams or any(
        repo.owner is org and repo.roles.get(login, "none") != "none" for repo in state.repos.values()
    )


def _installation(call: Call) -> Reply:
    org = call.state.user(call.path["org"])
    if call.app.account is not org or org.type != "Organization":
        raise Refusal(404, "Not Found")
    return Reply(views.installation(call.state, call.app))


_AT = "/orgs/{org}"
ROUTES: Routes = [
    ("GET", _AT + "/installation", _installation),
    ("GET", _AT + "/teams/{slug}", lambda call: Reply(view(call.state, _seen(call)))),
    (
        "GET",
        _AT + "/teams/{slug}/members",
        lambda call: call.page(
            sorted(_seen(call).all_members()),
            lambda login: views.user(call.state, call.state.users[login]),
        ),
    ),
]
