"""The digest that a promotion compares: the configuration, without what differs between environments by intent."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from posixpath import normpath

from bot.domain.policy import PATH, Policy


def configuration(policy: Policy, stack: str, blobs: Mapping[str, str], modules: Iterable[str] = ()) -> str:
    """sha256 over the stack's files at a commit: those that it watches or has below its root, and those of the local
    modules it uses. The policy itself is left out, and so is a var file that one environment alone has.

    blobs: path → git's id of the content, of the whole commit. modules: directories of local modules.
    """
    watched = policy.stacks[stack]
    uses = Counter(path for name in policy.environments for path in set(policy.var_files(stack, name)))
    own = {path for path, count in uses.items() if count == 1} | {PATH}
    directories = [normpath(directory) for directory in (watched.root, *modules)]
    chosen = sorted(
        path
        for path in blobs
        if path not in own
        and (path in uses or watched.watches(path) or any(_below(path, one) for one in directories))
    )
    text = "\0".join(f"{blobs[path]} {path}" for path in chosen)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _below(path: str, directory: str) -> bool:
    return directory == "." or path.startswith(f"{directory}/")
