"""What users do on GitHub's web pages and with git."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.playground.github import check_views, comments, git, merges, pull_lifecycle, pushes, repos, reviews
from bot.playground.github.access import Actor
from bot.playground.github.admin_actions import AdminActions
from bot.playground.github.call import validation_failed
from bot.playground.github.records import Pull, Repo
from bot.playground.github.state import ROLES
from bot.playground.github.timeline import timeline
from bot.playground.github.timeline_entries import Entry
from bot.playground.github.workflow_actions import WorkflowActions


@dataclass(frozen=True)
class CommitOptions:
    """Rarely used options of a commit.

    start: branch or commit that a new branch starts from, by default the default branch. written_by, committer: names
    that git records instead of the pusher's; GitHub need not know them. "GitHub" commits edits made on its web pages.
    """

    start: str = ""
    written_by: str = ""
    committer: str = ""


@dataclass(frozen=True)
class PullOptions:
    """Rarely used options of a pull request."""

    body: str = ""
    base: str = "main"
    draft: bool = False


class UserActions(AdminActions, WorkflowActions):
    """Actions of users. They take logins and `owner/name`, and raise Refusal as GitHub would."""

    read: Callable[[], None]
    """Called before a person writes."""

    def create_repo(
        self,
        full_name: str,
        files: Mapping[str, str | bytes],
        *,
        private: bool = False,
        roles: Mapping[str, str] | None = None,
    ) -> Repo:
        """Create a repository with one commit on main. A missing owner (an organisation) and missing users are created."""
        self.user(full_name.partition("/")[0], "Organization")
        for login in roles or {}:
            self.user(login)
        return repos.create(self.state, full_name, files, private=private, roles=roles)

    def fork(self, full_name: str, login: str) -> str:
        """Fork a repository for a user and return the fork's `owner/name`."""
        parent, owner = self._repo(full_name), self.user(login)
        return repos.create(self.state, f"{owner.login}/{parent.name}", {}, parent=parent).full_name

    def set_role(self, full_name: str, login: str, role: str, *, custom: str = "") -> None:
        """Give a user a base role; `none` removes it, but not their teams' roles. custom: name of a custom role."""
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
        options: CommitOptions = CommitOptions(),
    ) -> str:
        """Commit and push as `author` and return the commit's id. A content of None deletes the file.

        Pull requests from the branch are updated, and webhooks are sent.
        """
        repo, actor = self._repo(full_name), self._user(author)
        with self.state.change():
            before = git.refs(repo.path)
            new = git.NewCommit(
                files,
                author=options.written_by or actor.login,
                message=message,
                at=self.state.now(),
                committer=options.committer or actor.login,
            )
            sha = repos.commit(repo, branch, new, options.start)
            pushes.process(self.state, repo, actor, before)
        return sha

    def move_branch(self, full_name: str, branch: str, sha: str | None, *, actor: str) -> None:
        """Force-push a branch to `sha`, or delete it if `sha` is None."""
        repo, who = self._repo(full_name), self._user(actor)
        with self.state.change():
            before = git.refs(repo.path)
            git.run(
                repo.path,
                "update-ref",
                *(["-d"] if sha is None else []),
                f"refs/heads/{branch}",
                *([sha] if sha else []),
            )
            pushes.process(self.state, repo, who, before)

    def open_pull(
        self,
        full_name: str,
        *,
        author: str,
        head: str,
        title: str,
        fork: str = "",
        options: PullOptions = PullOptions(),
    ) -> int:
        """Open a pull request from branch `head` (of `fork`, an `owner/name`, if given) and return its number."""
        new = pull_lifecycle.NewPull(
            title=title,
            head=head,
            base=options.base,
            body=options.body,
            draft=options.draft,
            head_repo=self._repo(fork) if fork else None,
        )
        return pull_lifecycle.open_pull(self.state, self._repo(full_name), self._user(author), new).number

    def comment(self, full_name: str, number: int, *, author: str, body: str) -> int:
        """Post a comment and return its id."""
        self.read()
        return comments.create(self.state, self._pull(full_name, number), Actor(self._user(author)), body).id

    def edit_comment(self, comment_id: int, *, actor: str, body: str) -> None:
        """Replace the body of a comment."""
        comments.edit(self.state, self.state.comments[comment_id], Actor(self._user(actor)), body)

    def delete_comment(self, comment_id: int, *, actor: str) -> None:
        """Delete a comment."""
        comments.delete(self.state, self.state.comments[comment_id], Actor(self._user(actor)))

    def react(self, comment_id: int, *, actor: str, content: str) -> None:
        """Add a reaction to a comment."""
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
        """Review `commit`, by default the latest one, and return the review's id."""
        self.read()
        pull = self._pull(full_name, number)
        submitted = reviews.submit(self.state, pull, self._user(author), state, body, commit or pull.head_sha)
        return submitted.id

    def edit_review(self, full_name: str, number: int, review: int, *, actor: str, body: str) -> None:
        """Edit the body of a review."""
        one = reviews.find(self.state, self._pull(full_name, number), review)
        reviews.edit(self.state, one, self._user(actor), body)

    def dismiss_review(
        self, full_name: str, number: int, review: int, *, actor: str, message: str = "No longer valid"
    ) -> None:
        """Dismiss a review, which needs write access."""
        one = reviews.find(self.state, self._pull(full_name, number), review)
        reviews.dismiss(self.state, one, self._user(actor), message)

    def set_draft(self, full_name: str, number: int, *, actor: str, draft: bool) -> None:
        """Convert a pull request to a draft, or mark it as ready for review."""
        pull_lifecycle.set_draft(self.state, self._pull(full_name, number), self._user(actor), draft)

    def label_pull(self, full_name: str, number: int, *, actor: str, label: str) -> None:
        """Give a pull request a label."""
        pull_lifecycle.add_label(self.state, self._pull(full_name, number), self._user(actor), label)

    def close_pull(self, full_name: str, number: int, *, actor: str) -> None:
        """Close a pull request."""
        pull_lifecycle.close(self.state, self._pull(full_name, number), self._user(actor))

    def reopen_pull(self, full_name: str, number: int, *, actor: str) -> None:
        """Reopen a closed pull request."""
        pull_lifecycle.reopen(self.state, self._pull(full_name, number), self._user(actor))

    def merge_pull(self, full_name: str, number: int, *, actor: str, method: str = "merge") -> str:
        """Merge a pull request and return the commit on the base branch."""
        return merges.merge(self.state, self._pull(full_name, number), self._user(actor), method)

    def queue_pull(self, full_name: str, number: int, *, actor: str, behind: str = "") -> str:
        """Add a pull request to the merge queue ("Merge when ready").

        behind: the commit of the merge group ahead of it. Returns the commit on which checks are requested.
        """
        return merges.enqueue(self.state, self._pull(full_name, number), self._user(actor), behind=behind)

    def checks_on(self, full_name: str, sha: str) -> dict[str, tuple[str, str | None, str]]:
        """Return the checks of a commit, latest last: name to (status, conclusion, summary).

        A commit status counts as a check that is completed unless it is pending, with its description as summary.
        """
        repo = self._repo(full_name)
        with self.state.lock:
            shown: dict[str, tuple[str, str | None, str]] = {
                check.name: (check.status, check.conclusion, str(check.output.get("summary", "")))
                for check in self.state.checks.values()
                if check.repo is repo and check.head_sha == sha
            }
            for one in self.state.statuses.values():
                if one.repo is repo and one.sha == sha:
                    done = one.state != "pending"
                    shown[one.context] = (
                        "completed" if done else "in_progress",
                        one.state if done else None,
                        one.description or "",
                    )
        return shown

    def click_check(self, check_id: int, *, actor: str, identifier: str = "") -> None:
        """Click a button of a check, or "Re-run" if no identifier is given."""
        check, user = self.state.checks[check_id], self._user(actor)
        if not identifier:
            check_views.emit(self.state, "rerequested", check, user)
            return
        if identifier not in [action["identifier"] for action in check.actions]:
            raise validation_failed("CheckRun", "requested_action", "invalid")
        action = {"requested_action": {"identifier": identifier}}
        check_views.emit(self.state, "requested_action", check, user, action)

    def timeline(self, full_name: str, number: int) -> list[Entry]:
        """Return the timeline of a pull request, oldest entry first."""
        return timeline(self.state, self._pull(full_name, number))

    def _pull(self, full_name: str, number: int) -> Pull:
        return self.state.pull(self._repo(full_name), number)
