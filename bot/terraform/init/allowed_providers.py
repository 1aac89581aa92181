"""Refuse providers that the policy does not allow: before `init`, and again before what it downloaded can run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot.domain.policy import PATH, provider_allowed
from bot.domain.ports.terraform import ProviderUse, WorkDir
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.terraform.config.module_graph import Flavour, directory_names, read_config
from bot.terraform.config.provider_uses import provider_uses
from bot.terraform.config.required_providers import REGISTRIES
from bot.terraform.init.installed import installed_providers


def check_configuration(work_dir: WorkDir, flavour: Flavour) -> None:
    """Raise UserError if the configuration or the lock file names a provider that is not allowed."""
    if work_dir.providers is not None:
        root = str(work_dir.root)
        uses = provider_uses(root, directory_names, lambda path: read_config(Path(path)), flavour)
        _refuse(work_dir, flavour, uses)


def check_installed(work_dir: WorkDir, flavour: Flavour) -> None:
    """Raise UserError if `init` has chosen or installed one, for a downloaded module or for what is in the state."""
    if work_dir.providers is not None:
        _refuse(work_dir, flavour, installed_providers(work_dir.root, flavour))


def _refuse(work_dir: WorkDir, flavour: Flavour, uses: Iterable[ProviderUse]) -> None:
    registry, allow = REGISTRIES[flavour], work_dir.providers or ()
    refused = [use for use in uses if not provider_allowed(allow, use.source, registry)]
    if not refused:
        return
    first = replace(refused[0], file=_shown(work_dir, refused[0].file))
    key = first.name if first.registry == registry else first.source
    others = sorted(f"`{outside(use.source)}`" for use in refused[1:])
    more = f" Neither does it allow {', '.join(others[:5])}." if others else ""
    raise Refusal(
        "provider-not-allowed",
        f"The provider `{outside(first.name)}` from `{outside(first.registry)}` (`{outside(first.place)}`) is not in "
        f"`providers.allow` of `{PATH}` on the default branch, so it was not run.{more}",
        f'Remove it, or add `"{outside(key)}"` to `allow` under `[providers]` there.',
    )


def _shown(work_dir: WorkDir, file: str) -> str:
    """Return a file's path from the top of the repository."""
    path, top = Path(file), (work_dir.worktree or work_dir.root).resolve()
    return str(path.relative_to(top)) if path.is_relative_to(top) else path.name
