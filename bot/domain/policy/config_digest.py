"""The digest that a promotion compares: the configuration without what is meant to differ between environments."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from posixpath import normpath

from bot.domain.policy.model import PATH, Policy


def configuration_digest(
    policy: Policy, stack: str, blobs: Mapping[str, str], modules: Iterable[str] = ()
) -> str:
    """Return the SHA-256 of a stack's files at a commit: those it watches, those below its root, and those of the local
    modules it uses. The policy and var files of a single environment are left out.

    blobs: path → git's blob id, of the whole commit. modules: directories of the local modules.
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
