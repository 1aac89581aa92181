"""Teams of organisations: members, roles and visibility."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.records import Team, User
from bot.playground.github.state import ROLES, Refusal, State

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def create(
    state: State, org: User, slug: str, members: Iterable[User], roles: Mapping[str, str], parent: str = ""
) -> Team:
    """Create a team with roles in repositories (`owner/name` to role), below the team `parent` if one is given.

    Raises Refusal 422 if the slug is taken or malformed, 404 if the parent or a repository is unknown.
    """
    _require_unused_slug(state, org, slug)
    above = find(state, org, parent) if parent else None
    with state.change():
        team = Team(state.next_id(), org, slug, state.now(), {one.login.lower() for one in members}, above)
        for full_name, role in roles.items():
            grant_role(state, team, full_name, role)
        if above:
            above.children.append(team)
        state.teams[team.id] = team
    return team


def find(state: State, org: User, slug: str) -> Team:
    """Return a team by its current slug. Raises Refusal 404."""
    for team in state.teams.values():
        if team.org is org and team.slug == slug.lower():
            return team
    raise Refusal(404, "Not Found")


def grant_role(state: State, team: Team, full_name: str, role: str) -> None:
    """Give a team and its children a role in a repository of the organisation; `none` removes it."""
    repo = state.repo(full_name)
    if role not in ROLES:
        raise ValueError(f"no role {role!r}")
    if repo.owner is not team.org:
        raise Refusal(404, "Not Found")
    repo.teams = [(one, had) for one, had in repo.teams if one is not team]
    if role != "none":
        repo.teams.append((team, role))


def rename(state: State, team: Team, slug: str) -> None:
    """Change a team's slug. Raises Refusal 422 if it is taken or malformed."""
    _require_unused_slug(state, team.org, slug)
    with state.change():
        team.slug = slug


def delete(state: State, team: Team) -> None:
    """Delete a team together with its children and all their access, as GitHub does."""
    with state.change():
        gone = [one for one in state.teams.values() if team in one.with_parents()]
        if team.parent:
            team.parent.children.remove(team)
        for one in gone:
            del state.teams[one.id]
        for repo in state.repos.values():
            repo.teams = [(one, role) for one, role in repo.teams if one not in gone]


def _require_unused_slug(state: State, org: User, slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise validation_failed("Team", "name", "invalid")
    if any(team.org is org and team.slug == slug for team in state.teams.values()):
        raise validation_failed("Team", "name", "already_exists", "Name must be unique for this org")


def view(state: State, team: Team) -> dict[str, Any]:
    """Return a team's JSON."""
    org, times = team.org, views.timestamp(team.created_at)
    url, page = f"{state.url}/organizations/{org.id}/team/{team.id}", f"{state.url}/{org.login}"
    repos = [
        repo for repo in state.repos.values() if any(one in team.with_parents() for one, _ in repo.teams)
    ]
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
        "repos_count": len(repos),
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
            "created_at": views.timestamp(org.created_at),
            "updated_at": views.timestamp(org.created_at),
            "archived_at": None,
        },
    }


def _visible_team(call: Call) -> Team:
    """Return the team in the path if the actor may see it: Apps need `members`, users must belong to the organisation."""
    state, actor = call.state, call.actor
    org = state.user(call.path["org"])
    if actor.app:
        if actor.is_app_itself or actor.granted("members") == "none":
            raise Refusal(403, "Resource not accessible by integration")
        if actor.app.account is not org:
            raise Refusal(404, "Not Found")
    elif not is_member(state, org, call.user):
        raise Refusal(404, "Not Found")
    return find(state, org, call.path["slug"])


def is_member(state: State, org: User, user: User) -> bool:
    """Whether a user belongs to an organisation, through a team or a role in one of its repositories."""
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


_PATH = "/orgs/{org}"
ROUTES: Routes = [
    ("GET", _PATH + "/installation", _installation),
    ("GET", _PATH + "/teams/{slug}", lambda call: Reply(view(call.state, _visible_team(call)))),
    (
        "GET",
        _PATH + "/teams/{slug}/members",
        lambda call: call.page(
            sorted(_visible_team(call).all_members()),
            lambda login: views.user(call.state, call.state.users[login]),
        ),
    ),
]
