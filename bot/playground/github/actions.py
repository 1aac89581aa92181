"""What people do on GitHub's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.playground.github import checks, comments, merging, plumbing, pushes, repos, reviews
from bot.playground.github.access import Actor
from bot.playground.github.accounts import Accounts
from bot.playground.github.call import invalid
from bot.playground.github.records import Pull, Repo
from bot.playground.github.state import ROLES
from bot.playground.github.timeline import timeline


class People(Accounts):
    """People's actions. They take logins and `owner/name`, and raise Refusal where the page would refuse."""

    def create_repo(
        self,
        full_name: str,
        files: Mapping[str, str | bytes],
        *,
        private: bool = False,
        roles: Mapping[str, str] | None = None,
    ) -> Repo:
        """A repository with one commit on main. Owner (an organisation) and users with `roles` are made if missing."""
        self.user(full_name.partition("/")[0], "Organization")
        for login in roles or {}:
            self.user(login)
        return repos.create(self.state, full_name, files, private=private, roles=roles)

    def fork(self, full_name: str, login: str) -> str:
        """A user's fork; returns its `owner/name`."""
        parent, owner = self._repo(full_name), self.user(login)
        return repos.create(self.state, f"{owner.login}/{parent.name}", {}, parent=parent).full_name

    def set_role(self, full_name: str, login: str, role: str, *, custom: str = "") -> None:
        """Give somebody a base role (`none` takes it away, but not their teams'); `custom` is an organisation's own
        name for it."""
        if role not in ROLES:
            raise ValueError(f"no role {role!r}")
        with self.state.change():
            self._repo(full_name).custom_roles.pop(login.lower(), None)
            repo = self._repo(full_name)
            repo.roles[self.user(login).login.lower()] = role
            if custom:
                repo.custom_roles[login.lower()] = custom

    def commit_files(
        self,
        full_name: str,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        author: str,
        message: str,
        start: str = "",
        written_by: str = "",
        committer: str = "",
    ) -> str:
        """Commit and push as a person; None deletes a file. A new branch starts at `start`, else at the default branch.

        written_by, committer: whom git names instead of the one who pushes, known to GitHub or not; `GitHub` commits
        what is edited on its pages. Returns the commit. Pull requests from the branch are synchronised, and webhooks
        go out.
        """
        repo, actor = self._repo(full_name), self._user(author)
        with self.state.change():
            before = plumbing.refs(repo.path)
            by, of = written_by or actor.login, committer or actor.login
            sha = repos.commit(self.state, repo, branch, files, by, message, start, of)
            pushes.moved(self.state, repo, actor, before)
        return sha

    def move_branch(self, full_name: str, branch: str, sha: str | None, *, actor: str) -> None:
        """A force push to `sha`, or (None) the end of a branch."""
        repo, who = self._repo(full_name), self._user(actor)
        with self.state.change():
            before = plumbing.refs(repo.path)
            plumbing.git(
                repo.path,
                "update-ref",
                *(["-d"] if sha is None else []),
                f"refs/heads/{branch}",
                *([sha] if sha else []),
            )
            pushes.moved(self.state, repo, who, before)

    def open_pull(
        self,
        full_name: str,
        *,
        author: str,
        head: str,
        title: str,
        body: str = "",
        base: str = "main",
        draft: bool = False,
        fork: str = "",
    ) -> int:
        """Open a pull request from a branch (of `fork`, an `owner/name`, where given); returns its number."""
        source = self._repo(fork) if fork else None
        return merging.open_pull(
            self.state,
            self._repo(full_name),
            self._user(author),
            head=head,
            base=base,
            title=title,
            body=body,
            draft=draft,
            head_repo=source,
        ).number

    def comment(self, full_name: str, number: int, *, author: str, body: str) -> int:
        """Write a comment; returns its id."""
        return comments.comment(self.state, self._pull(full_name, number), Actor(self._user(author)), body).id

    def edit_comment(self, comment_id: int, *, actor: str, body: str) -> None:
        comments.edit(self.state, self.state.comments[comment_id], Actor(self._user(actor)), body)

    def delete_comment(self, comment_id: int, *, actor: str) -> None:
        comments.delete(self.state, self.state.comments[comment_id], Actor(self._user(actor)))

    def react(self, comment_id: int, *, actor: str, content: str) -> None:
        comments.react(self.state, self.state.comments[comment_id], self._user(actor), content)

    def review(
        self,
        full_name: str,
        number: int,
        *,
        author: str,
        state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"],
        body: str = "",
        commit: str = "",
    ) -> int:
        """Review the pull request at `commit`, by default its head; returns the review's id."""
        pull = self._pull(full_name, number)
        made = reviews.review(self.state, pull, self._user(author), state, body, commit or pull.head_sha)
        return made.id

    def edit_review(self, full_name: str, number: int, review: int, *, actor: str, body: str) -> None:
        """Change a review's words."""
        one = reviews.find(self.state, self._pull(full_name, number), review)
        reviews.edit(self.state, one, self._user(actor), body)

    def dismiss_review(
        self, full_name: str, number: int, review: int, *, actor: str, message: str = "Not any more"
    ) -> None:
        """Take a review's weight away, as a person with write may."""
        one = reviews.find(self.state, self._pull(full_name, number), review)
        reviews.dismiss(self.state, one, self._user(actor), message)

    def set_draft(self, full_name: str, number: int, *, actor: str, draft: bool) -> None:
        merging.set_draft(self.state, self._pull(full_name, number), self._user(actor), draft)

    def close_pull(self, full_name: str, number: int, *, actor: str) -> None:
        merging.close(self.state, self._pull(full_name, number), self._user(actor))

    def reopen_pull(self, full_name: str, number: int, *, actor: str) -> None:
        merging.reopen(self.state, self._pull(full_name, number), self._user(actor))

    def merge_pull(self, full_name: str, number: int, *, actor: str, method: str = "merge") -> str:
        """Merge as a person; returns the commit on the base branch."""
        return merging.merge(self.state, self._pull(full_name, number), self._user(actor), method)

    def queue_pull(self, full_name: str, number: int, *, actor: str, behind: str = "") -> str:
        """ "Merge when ready": into the merge queue, `behind` the commit of the group ahead of it; returns the commit
        on which checks are asked for."""
        return merging.queue(self.state, self._pull(full_name, number), self._user(actor), behind=behind)

    def checks_on(self, full_name: str, sha: str) -> dict[str, tuple[str, str | None, str]]:
        """What stands at a commit, newest last: check's name → (status, conclusion, summary); a commit status counts
        as a check, completed unless it is pending, with its description."""
        repo = self._repo(full_name)
        with self.state.lock:
            shown: dict[str, tuple[str, str | None, str]] = {
                check.name: (check.status, check.conclusion, str(check.output.get("summary", "")))
                for check in self.state.checks.values()
                if check.repo is repo and check.head_sha == sha
            }
            for one in self.state.statuses.values():
                if one.repo is repo and one.sha == sha:
                    over = one.state != "pending"
                    shown[one.context] = (
                        "completed" if over else "in_progress",
                        one.state if over else None,
                        one.description or "",
                    )
        return shown

    def click_check(self, check_id: int, *, actor: str, identifier: str = "") -> None:
        """Press one of a check's buttons, or (no identifier) "Re-run"."""
        check, user = self.state.checks[check_id], self._user(actor)
        if not identifier:
            checks.emit(self.state, "rerequested", check, user)
            return
        if identifier not in [action["identifier"] for action in check.actions]:
            raise invalid("CheckRun", "requested_action", "invalid")
        asked = {"requested_action": {"identifier": identifier}}
        checks.emit(self.state, "requested_action", check, user, asked)

    def timeline(self, full_name: str, number: int) -> list[dict[str, Any]]:
        """The pull request's story, oldest first (see timeline.py)."""
        return timeline(self.state, self._pull(full_name, number))

    def _pull(self, full_name: str, number: int) -> Pull:
        return self.state.pull(self._repo(full_name), number)
