"""Find the backend that a repository declares, and add an override file with one where it declares none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.domain.ports.terraform import Backend
from bot.domain.sanitize import outside
from bot.domain.states import StateInfo, accepts_setting, instead_of
from bot.errors import UserError
from bot.terraform.config.hcl import Block, parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import pairs, parse_json
from bot.terraform.config.module_graph import Flavour, config_files, is_override, read_config

OVERRIDE = "zz_towpath_override.tf"
"""Sorts last, so that it overrides every other file of the repository."""

_BLOCK_TYPES = ("backend", "cloud", "state_store")


def declared_backend(root: Path, flavour: Flavour = "terraform") -> str:
    """Return the backend that the root module declares (`s3`, `http`, `local`, …, `cloud`), or "".

    Raises UserError, naming the file, if an override file declares a backend (it would take precedence over ours), if
    a file has the name of our own override, or if a file cannot be parsed.
    """
    declared = ""
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        path = root / name
        content = read_config(path)
        if name.startswith(OVERRIDE.split(".", 1)[0]):
            if name == OVERRIDE and content in {_override(kind) for kind in _kinds(name, content)}:
                continue
            raise UserError(
                f"The file name `{outside(name)}` is reserved for Towpath.",
                next_step="Rename the file, commit and push.",
            )
        kinds = list(_kinds(name, content))
        if kinds and is_override(name):
            raise UserError(
                f"`{outside(name)}` is an override file with a `{outside(kinds[0])}` backend, which would send the state elsewhere.",
                next_step="Move the block into an ordinary file, or remove it.",
            )
        declared = declared or next(iter(kinds), "")
    return declared


def backend_block(root: Path, flavour: Flavour = "terraform") -> tuple[str, dict[str, str]]:
    """Return (kind, settings) of the first backend block in `root` as written, or ("", {}) if there is none.

    The settings may contain secrets. Raises UserError if a file cannot be parsed.
    """
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        for block in _blocks(name, read_config(root / name)):
            return block.kind, block.settings
    return "", {}


def refuse_settings(root: Path, backend: Backend, flavour: Flavour = "terraform") -> None:
    """Raise UserError, naming setting, file and line, if a backend block has a setting that a repository may not choose.

    backend: as the target should have it. Endpoints are accepted where the policy names one: it overrules the block's.
    """
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        for block in _blocks(name, read_config(root / name)):
            for setting, line in block.lines.items():
                own = setting == "endpoints" and setting in backend.config
                if block.kind == backend.kind and not own and not accepts_setting(block.kind, setting):
                    advice = instead_of(setting)
                    raise UserError(
                        f"`{outside(name)}` line {line} sets `{outside(setting)}` for the `{block.kind}` backend, which only "
                        "the policy and the bot's operator may choose.",
                        next_step=f"Remove it, commit and push.{f' {advice}.' if advice else ''}",
                    )


def ensure_backend(root: Path, kind: str, flavour: Flavour = "terraform", *, replaces: bool = False) -> None:
    """Make sure that `root` has a backend of `kind`, by an override file if it declares none, or with `replaces` another.

    Raises UserError if it declares another one, has no Terraform files, or contains a state file.
    """
    if not set(config_files([entry.name for entry in root.iterdir()], flavour)) - {OVERRIDE}:
        # Terraform itself refuses an empty directory, but would not notice once our override is in it.
        raise UserError(
            f"`{outside(root.name)}` has no Terraform files, and planning an empty configuration would destroy everything.",
            next_step="Commit the files (submodules are not checked out). To destroy everything, commit an empty `main.tf`.",
        )
    if name := _committed_state(root):
        # Terraform would ask whether to migrate it, and there is no terminal to answer.
        raise UserError(
            f"`{name}` is committed beside the configuration, but this target's state is kept by `{kind}`.",
            next_step=f"Run `git rm -r {name}`, commit and push. If it holds state that is needed, push that first from "
            "a laptop: `towpath state login`.",
        )
    declared = declared_backend(root, flavour)
    if not declared or (replaces and declared != kind):
        # Written atomically: a partial file, left by a killed bot, would be taken for the repository's own.
        draft = root / f".{OVERRIDE}.new"
        draft.unlink(missing_ok=True)
        draft.write_bytes(_override(kind))
        draft.replace(root / OVERRIDE)
    elif declared != kind:
        raise UserError(
            f"The configuration declares a `{outside(declared)}` backend, but this target's state is kept by `{kind}`.",
            next_step=f"Remove the `{outside(declared)}` block, or set that backend in `envs/environments.toml`.",
        )


def _committed_state(root: Path) -> str:
    """Return the name of a local state that is not empty or cannot be read; an older init may leave an empty one."""
    for name in ("terraform.tfstate", "terraform.tfstate.d"):
        path = root / name
        if path.is_dir():
            return name
        try:
            state = StateInfo.parse(path.read_bytes()) if path.is_file() and path.stat().st_size else None
        except ValueError:
            return name
        if state and (state.resources or state.outputs):
            return name
    return ""


def _override(kind: str) -> bytes:
    return f'terraform {{\n  backend "{kind}" {{\n  }}\n}}\n'.encode()


def _kinds(name: str, content: bytes) -> Iterator[str]:
    """Yield the backends that a file declares; for `cloud` and `state_store`, their own name."""
    return (block.kind for block in _blocks(name, content))


@dataclass(frozen=True)
class _Declared:
    """A backend block. settings: as written; of a nested block, the type. lines: by setting, counted from 1."""

    kind: str
    settings: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def _blocks(name: str, content: bytes) -> Iterator[_Declared]:
    try:
        if name.endswith(".json"):
            blocks = [
                pair for key, value in parse_json(content) if key == "terraform" for pair in pairs(value)
            ]
            for key, value in blocks:
                if key == "backend":
                    yield from (_json_block(kind, inner, content) for kind, inner in pairs(value))
                elif key in _BLOCK_TYPES:
                    yield _Declared(key)
        else:
            for terraform in parse(content).named("terraform"):
                for block in terraform.named(*_BLOCK_TYPES):
                    kind = block.labels[0] if block.type == "backend" and block.labels else block.type
                    yield _Declared(
                        kind,
                        {key: _text(block, key) for key in block.attributes}
                        | {inner.type: inner.type for inner in block.blocks},
                        {key: tokens[0].line for key, tokens in block.attributes.items() if tokens}
                        | {inner.type: inner.lines[0] for inner in block.blocks},
                    )
    except ParseError as error:
        raise UserError(
            f"`{outside(name)}` cannot be parsed: {error}.", next_step="Fix the file and push."
        ) from error


def _json_block(kind: str, value: Any, content: bytes) -> _Declared:
    """Return the block in a JSON value. JSON is parsed without positions, so a setting's line is where its name first is."""
    settings = {
        key: inner if isinstance(inner, str) else str(inner) for key, inner in pairs(value) if key != "//"
    }
    text = content.decode("utf-8-sig")
    return _Declared(
        kind, settings, {key: text.count("\n", 0, max(text.find(f'"{key}"'), 0)) + 1 for key in settings}
    )


def _text(block: Block, name: str) -> str:
    plain = block.text(name)
    return " ".join(token.text for token in block.attributes[name]) if plain is None else plain
