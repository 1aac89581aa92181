"""Private modules in other repositories: which of them `terraform init` may read, and what to do about the others."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.domain.policy import PATH, Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.terraform import CommandResult, GitAccess
from bot.errors import UserError
from bot.services.context import Context

_DENIED = re.compile(
    r"repository (?:\S+ )?not found|could not read username|authentication failed|returned error: 40[134]",
    re.IGNORECASE,
)
"""What git says of a repository that does not exist or that the credentials do not read: servers do not tell which."""


def module_access(context: Context, repository: str, policy: Policy) -> GitAccess | None:
    """Return credentials that read the repository and those that the policy lists under `modules`, on the same server.

    Raises UserError if the App does not reach one of them.
    """
    try:
        credentials = context.forge.git_credentials(repository, policy.modules)
    except ForgeError as error:
        if error.status != 403 or error.retry_after is not None or not policy.modules:
            raise
        raise UserError(
            f"The App cannot read all of {', '.join(f'`{name}`' for name in policy.modules)}, which `modules` in `{PATH}` "
            "lists.",
            next_step=f"Add them to the App's installation on GitHub, or correct `modules` in `{PATH}`.",
        ) from error
    if credentials is None:
        return None
    scheme, _, rest = context.known(repository).clone_url.partition("://")
    readable = tuple(sorted({repository, *policy.modules})) if context.forge.narrows else ()
    return GitAccess(f"{scheme}://{rest.split('/', 1)[0]}/", *credentials, repositories=readable)


def explain_unreachable(ended: CommandResult, repository: str, access: GitAccess | None) -> CommandResult:
    """Return a failed init with a first sentence on the repositories that it could not read and the policy does not list."""
    said = " ".join(" ".join(ended.diagnostics).split())
    if access is None or not access.repositories or not _DENIED.search(said):
        return ended
    owner = repository.partition("/")[0]
    found = [name for name in _repositories(said, access.prefix) if name not in access.repositories]
    own = [name for name in found if name.partition("/")[0] == owner]
    if not own:
        return ended
    listed = ", ".join(f'"{name}"' for name in sorted({*own, *access.repositories} - {repository}))
    sentence = f"{' and '.join(own)} may not be read: set modules = [{listed}] at the top of {PATH} on the default branch."
    return replace(ended, diagnostics=(sentence, *ended.diagnostics))


def _repositories(text: str, prefix: str) -> list[str]:
    """Return the repositories (`owner/name`, lower case) of a server that a text names by URL, each once."""
    host = re.escape(prefix.partition("://")[2].rstrip("/"))
    bare = host.partition(":")[0]
    url = rf"(?:https?://(?:[^\s/@]+@)?{host}/|(?:ssh://)?git@{bare}[:/])([A-Za-z0-9-]+/[A-Za-z0-9._-]+)"
    names = (name.lower().rstrip(".").removesuffix(".git") for name in re.findall(url, text, re.IGNORECASE))
    return list(dict.fromkeys(names))
