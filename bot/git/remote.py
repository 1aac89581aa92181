"""Check remotes, and translate their errors."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bot.domain.ports.git import Remote
from bot.errors import GitUnavailable, UserError
from bot.git.command import GitFailed

_STATUS = re.compile(r"(?:returned error: |HTTP code = |HTTP )(\d{3})")
_NO_COMMIT = ("not our ref", "couldn't find remote ref", "unadvertised object", "remote error: no such ref")
_NO_ACCESS = (
    "authentication failed",
    "could not read username",
    "could not read password",
    "permission denied",
    "repository not found",
    "access denied",
)
_UNAVAILABLE = (
    "could not resolve host",
    "couldn't connect",
    "failed to connect",
    "connection refused",
    "connection reset",
    "connection timed out",
    "operation timed out",
    "operation too slow",
    "timed out",
    "early eof",
    "unexpected disconnect",
    "the remote end hung up",
    "rpc failed",
    "empty reply from server",
    "could not read from remote repository",
    "ssl",
    "gnutls",
    "no route to host",
)


def check(remote: Remote, protocols: tuple[str, ...]) -> None:
    """Raise UserError for a URL that git must not get: one with another protocol, or with a password in it."""
    url = urlsplit(remote.url)
    if url.scheme not in protocols:
        raise UserError(
            f"{remote.repository} cannot be fetched over {url.scheme or 'a URL without a protocol'}.",
            next_step=f"Use one of: {', '.join(protocols)}.",
        )
    if url.password is not None:
        raise UserError(
            f"The clone URL of {remote.repository} contains a password, which the list of processes would show.",
            next_step="Pass the password as credentials instead.",
        )


def lacks_commit(failure: GitFailed) -> bool:
    """Whether the remote answered that it has no such commit or ref."""
    return any(words in failure.message.lower() for words in _NO_COMMIT)


def raise_remote_error(remote: Remote, failure: GitFailed) -> None:
    """Raise what `failure` means if the remote caused it; return if it did not.

    GitUnavailable: 429, 5xx, no answer or a broken one. UserError: 401, 403 and 404.
    """
    text = failure.message.lower()
    match = _STATUS.search(failure.message)
    status = int(match.group(1)) if match else 0
    if status in (401, 403, 404) or any(words in text for words in _NO_ACCESS) or _not_found(text):
        raise UserError(
            f"{remote.repository} cannot be fetched: it does not exist, or the server rejects the bot's credentials.",
            next_step="Check that the bot is installed on the repository and may read its contents.",
        ) from failure
    if status >= 500 or status == 429 or failure.code == -1 or any(words in text for words in _UNAVAILABLE):
        reason = f"HTTP {status}" if status else failure.message.splitlines()[-1][:200]
        raise GitUnavailable(
            f"{remote.repository}: {reason}", retry_after=30.0 if status == 429 else 5.0
        ) from failure


def _not_found(text: str) -> bool:
    return re.search(r"repository '.*' not found", text) is not None
