"""JSON of users, Apps and repositories, with the same keys as GitHub's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.playground.github.records import App, Repo, User
from bot.playground.github.state import State

_BELOW_USER = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}

_BELOW_REPO = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def timestamp(time: datetime | None) -> str | None:
    """Return a time in GitHub's format, `2026-01-31T09:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def user(state: State, someone: User) -> dict[str, Any]:
    """Return a user as they appear inside other objects."""
    api = f"{state.url}/users/{someone.login}"
    return {
        "login": someone.login,
        "id": someone.id,
        "node_id": f"U_{someone.id}",
        "avatar_url": f"{state.url}/avatars/{someone.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{state.url}/{someone.login}",
        **{key: api + below for key, below in _BELOW_USER.items()},
        "type": someone.type,
        "site_admin": False,
    }


def account(state: State, someone: User) -> dict[str, Any]:
    """Return a user as GET /user and GET /users/{login} do."""
    return {
        **user(state, someone),
        "user_view_type": "public",
        **dict.fromkeys(["name", "company", "location", "email", "hireable", "bio"]),
        "blog": "",
        "public_repos": sum(repo.owner is someone for repo in state.repos.values()),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": timestamp(someone.created_at),
        "updated_at": timestamp(someone.created_at),
    }


def organisation(state: State, org: User) -> dict[str, Any]:
    """Return an organisation as it appears in webhooks."""
    api = f"{state.url}/orgs/{org.login}"
    return {
        "login": org.login,
        "id": org.id,
        "node_id": f"O_{org.id}",
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"{state.url}/avatars/{org.id}",
        "description": "",
    }


def repo(state: State, of: Repo) -> dict[str, Any]:
    """Return a repository, in one form that satisfies GitHub's full, minimal and webhook schemas."""
    api, page = repo_api(state, of), f"{state.url}/{of.full_name}"
    issues = sum(pull.repo is of and pull.state == "open" for pull in state.pulls.values())
    times = timestamp(of.created_at)
    host = state.url.partition("://")[2]
    return {
        "id": of.id,
        "node_id": f"R_{of.id}",
        "name": of.name,
        "full_name": of.full_name,
        "private": of.private,
        "owner": user(state, of.owner),
        "html_url": page,
        "description": None,
        "fork": of.parent is not None,
        "url": api,
        **{key: api + below for key, below in _BELOW_REPO.items()},
        "created_at": times,
        "updated_at": times,
        "pushed_at": times,
        "git_url": f"git://{host}/{of.full_name}.git",
        "ssh_url": f"git@{host}:{of.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": None,
        "size": 1,
        "language": None,
        "license": None,
        "mirror_url": None,
        "topics": [],
        "custom_properties": {},
        "visibility": "private" if of.private else "public",
        **dict.fromkeys(["has_issues", "has_projects", "has_downloads", "has_wiki"], True),
        **dict.fromkeys(["has_pages", "has_discussions", "archived", "disabled"], False),
        **dict.fromkeys(["is_template", "web_commit_signoff_required", "allow_forking"], False),
        **dict.fromkeys(["stargazers_count", "watchers_count", "forks_count", "forks", "watchers"], 0),
        **dict.fromkeys(["network_count", "subscribers_count"], 0),
        "open_issues_count": issues,
        "open_issues": issues,
        "default_branch": of.default_branch,
    }


def push_repo(state: State, of: Repo) -> dict[str, Any]:
    """Return a repository as push webhooks show it: times are numbers, and older field names remain."""
    seconds = int(of.created_at.timestamp())
    shown = repo(state, of)
    return {
        **shown,
        "owner": {**shown["owner"], "name": of.owner.login, "email": None},
        "created_at": seconds,
        "pushed_at": seconds,
        "stargazers": 0,
        "master_branch": of.default_branch,
    }


def repo_api(state: State, of: Repo) -> str:
    """Return the API URL of a repository."""
    return f"{state.url}/repos/{of.full_name}"


def app(state: State, of: App) -> dict[str, Any]:
    """Return an App."""
    return {
        "id": of.id,
        "slug": of.slug,
        "node_id": f"A_{of.id}",
        "owner": user(state, of.owner),
        "name": of.slug.capitalize(),
        "description": "",
        "external_url": f"{state.url}/apps/{of.slug}",
        "html_url": f"{state.url}/apps/{of.slug}",
        "created_at": timestamp(of.created_at),
        "updated_at": timestamp(of.created_at),
        "permissions": of.permissions,
        "events": sorted(of.hook.events) if of.hook else [],
    }


def installation(state: State, of: App) -> dict[str, Any]:
    """Return an App's installation."""
    number = of.installation_id
    return {
        "id": number,
        "account": user(state, of.account),
        "repository_selection": "selected" if of.repositories else "all",
        "access_tokens_url": f"{state.url}/app/installations/{number}/access_tokens",
        "repositories_url": f"{state.url}/installation/repositories",
        "html_url": f"{state.url}/settings/installations/{number}",
        "app_id": of.id,
        "app_slug": of.slug,
        "target_id": of.account.id,
        "target_type": of.account.type,
        "permissions": of.permissions,
        "events": sorted(of.hook.events) if of.hook else [],
        "created_at": timestamp(of.created_at),
        "updated_at": timestamp(of.created_at),
        "single_file_name": None,
        "suspended_at": timestamp(of.suspended_at),
        "suspended_by": user(state, of.owner) if of.suspended_at else None,
    }
