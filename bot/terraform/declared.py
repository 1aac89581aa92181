"""Which backend a repository declares, and the override file of ours where it declares none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.domain.state import StateInfo
from bot.domain.words import outside
from bot.errors import UserError
from bot.terraform.hcl import Block, Unreadable, objects, parse, parse_json
from bot.terraform.modules import Flavour, config_files, is_override, read_config

OVERRIDE = "zz_towpath_override.tf"
"""Sorts last, so that it wins over whatever the repository has."""

_WORDS = ("backend", "cloud", "state_store")


def declared_backend(root: Path, flavour: Flavour = "terraform") -> str:
    """What the root module in `root` declares: `s3`, `http`, `local`, …, `cloud`, or empty.

    Raises UserError, naming the file, where an override file decides about the backend (it would beat ours), where
    a file has our own override's name, and where a file cannot be read.
    """
    declared = ""
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        path = root / name
        content = read_config(path)
        if name.startswith(OVERRIDE.split(".", 1)[0]):
            if name == OVERRIDE and content in {_override(kind) for kind in _kinds(name, content)}:
                continue
            raise UserError(f"`{outside(name)}` has a name that is kept for Towpath.", next_step="Rename it.")
        kinds = list(_kinds(name, content))
        if kinds and is_override(name):
            raise UserError(
                f"`{outside(name)}` is an override file with a `{outside(kinds[0])}` backend, which would lead the state elsewhere.",
                next_step="Move the block into an ordinary file, or remove it.",
            )
        declared = declared or next(iter(kinds), "")
    return declared


def backend_block(root: Path, flavour: Flavour = "terraform") -> tuple[str, dict[str, str]]:
    """(kind, settings) of the first backend that the files in `root` declare, as they are written there; ("", {}) where
    there is none. The settings may be secret. Raises UserError where a file cannot be read."""
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        for kind, settings in _blocks(name, read_config(root / name)):
            return kind, settings
    return "", {}


def settle(root: Path, kind: str, flavour: Flavour = "terraform") -> None:
    """See to it that `root` has a backend of `kind`. Raises UserError where it declares another one, or nothing,
    or brings a state along."""
    if not set(config_files([entry.name for entry in root.iterdir()], flavour)) - {OVERRIDE}:
        # Terraform itself refuses that, and does not see it once our override is there.
        raise UserError(
            f"`{outside(root.name)}` holds no Terraform files, and a plan of nothing destroys everything that is there.",
            next_step="Commit them (submodules are not checked out), or leave one that says nothing, to destroy all.",
        )
    if name := _state_of_its_own(root):
        # Terraform would ask whether to move it, and there is nobody whom it could ask.
        raise UserError(
            f"`{name}` is committed beside the configuration, and this target's state is kept by `{kind}`.",
            next_step="Remove it: `git rm`. What only it knows can be pushed before, from a laptop: `towpath state login`.",
        )
    declared = declared_backend(root, flavour)
    if not declared:
        # Whole or not at all: half of it, left by a bot that was killed, would be taken for the repository's own.
        draft = root / f".{OVERRIDE}.new"
        draft.unlink(missing_ok=True)
        draft.write_bytes(_override(kind))
        draft.replace(root / OVERRIDE)
    elif declared != kind:
        raise UserError(
            f"The configuration declares a `{outside(declared)}` backend, but this target's state is kept by `{kind}`.",
            next_step=f"Remove the `{outside(declared)}` block, or name that backend in `envs/environments.toml`.",
        )


def _state_of_its_own(root: Path) -> str:
    """A local state that has something in it, or is none that could be read; what an older init may leave is empty."""
    for name in ("terraform.tfstate", "terraform.tfstate.d"):
        path = root / name
        if path.is_dir():
            return name
        try:
            known = StateInfo.parse(path.read_bytes()) if path.is_file() and path.stat().st_size else None
        except ValueError:
            return name
        if known and (known.resources or known.outputs):
            return name
    return ""


def _override(kind: str) -> bytes:
    return f'terraform {{\n  backend "{kind}" {{\n  }}\n}}\n'.encode()


def _kinds(name: str, content: bytes) -> Iterator[str]:
    """The backends that a file declares; `cloud` and `state_store` count by their own name."""
    return (kind for kind, _ in _blocks(name, content))


def _blocks(name: str, content: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        if name.endswith(".json"):
            blocks = [
                pair for key, value in parse_json(content) if key == "terraform" for pair in objects(value)
            ]
            for key, value in blocks:
                if key == "backend":
                    yield from ((kind, _said(inner)) for kind, inner in objects(value))
                elif key in _WORDS:
                    yield key, {}
        else:
            for terraform in parse(content).named("terraform"):
                for block in terraform.named(*_WORDS):
                    kind = block.labels[0] if block.type == "backend" and block.labels else block.type
                    yield kind, {key: _text(block, key) for key in block.attributes}
    except Unreadable as error:
        raise UserError(
            f"`{outside(name)}` cannot be read: {error}.", next_step="Correct it and push."
        ) from error


def _said(value: Any) -> dict[str, str]:
    """The settings of a backend in JSON."""
    return {key: inner if isinstance(inner, str) else str(inner) for key, inner in objects(value)}


def _text(block: Block, name: str) -> str:
    plain = block.text(name)
    return " ".join(token.text for token in block.attributes[name]) if plain is None else plain
