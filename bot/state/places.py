"""Where each target's state is: what `init` is given, and the proof that it took it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.domain.policy import BackendPolicy, Policy
from bot.domain.ports.state import Author, StatePlace, States
from bot.domain.ports.terraform import Backend, Initialised
from bot.domain.target import Target
from bot.domain.words import outside
from bot.errors import UserError
from bot.state.bucket import Buckets, Keys, object_key
from bot.state.shelves import InBucket, InTables

_PROFILE = "towpath-state"
# What would lead a backend elsewhere although every setting of ours is as it should be: name → harmless values.
_ELSEWHERE: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "s3": {"endpoint": (None, ""), "endpoints": (None, {}), "workspace_key_prefix": (None, "", "env:")},
    "http": {"update_method": (None, "", "POST")},
}
# R2, MinIO and others have no accounts, no metadata service, no AWS regions, and not the newer checksums.
_NOT_AWS = (
    "use_path_style",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_requesting_account_id",
    "skip_region_validation",
    "skip_s3_checksum",
)


def knows_lockfile(version: str) -> bool:
    """Whether the s3 backend of Terraform or OpenTofu `version` has `use_lockfile`: from 1.10 on."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= (1, 10)


class Backends:
    """Fulfils the port `Backends`.

    states: for the built-in backend's current state. base_url: where Terraform reaches the built-in backend.
    directory: a private one, for the profile file that carries `keys` to Terraform's s3 backend (and to nothing else:
    `AWS_*` variables stay the provider's). bucket, endpoint, region: for policies that name none. lockfile: whether
    the engine knows the s3 backend's `use_lockfile` (Terraform and OpenTofu from 1.10 on).
    """

    def __init__(
        self,
        states: States,
        *,
        base_url: str,
        directory: Path,
        bucket: str = "",
        endpoint: str = "",
        region: str = "",
        keys: Keys | None = None,
        lockfile: bool = True,
    ) -> None:
        self._states = states
        self._base_url = base_url.rstrip("/")
        self._directory = directory.absolute()
        self._default = BackendPolicy(bucket=bucket, endpoint=endpoint, region=region)
        self._keys = keys or Keys()
        self._lockfile = lockfile
        self.buckets = Buckets(self._keys)

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        """What `init` of this target gets. `declared` is the kind of the repository's own backend block, or empty.

        Lists and maps in the settings are JSON, which is what `-backend-config=NAME=VALUE` takes for them. Raises
        UserError where the repository's block and the policy differ, or where no bucket is named.
        """
        wanted = policy.stacks[target.stack].backend
        kind = wanted.kind or declared or "http"
        if declared not in ("", kind) or kind not in ("http", "s3"):
            raise UserError(
                f'`{target.stack}` has a `backend "{outside(declared)}"` block, and its states belong to '
                f"{'the s3 backend' if kind == 's3' else 'the built-in backend or to s3'}.",
                next_step="Remove the block: the bot gives every environment a state of its own.",
            )
        if kind == "http":
            return Backend("http", self._http(target), self._login(*credential), declared=bool(declared))
        return Backend("s3", self._s3(target, policy), declared=bool(declared))

    def prove(self, expected: Backend, found: Initialised) -> None:
        """Raises UserError naming the setting where what `init` left is not what the target should have."""
        if found.kind != expected.kind:
            raise _elsewhere("kind", expected.kind, found.kind)
        for name, value in expected.config.items():
            if not _same(value, found.config.get(name)):
                raise _elsewhere(name, value, found.config.get(name))
        for name, harmless in _ELSEWHERE.get(expected.kind, {}).items():
            if name not in expected.config and _given(found.config.get(name)) not in harmless:
                raise _elsewhere(name, "unset", found.config.get(name))

    def restore(self, kept: Mapping[str, Any]) -> Backend:
        """The backend as a plan kept it (`kind`, `config`), without the built-in one's credentials. The profile file
        that a plan for s3 names is there again afterwards."""
        if kept["kind"] == "s3" and self._keys:
            self._profile()
        return Backend(kept["kind"], dict(kept["config"]))

    def current(self, target: Target, backend: Backend) -> bytes | None:
        """The state as the backend has it now; None where there is none. Raises UserError and TransientError."""
        return self.place(target, backend).read()

    def place(self, target: Target, backend: Backend, author: Author | None = None) -> StatePlace:
        """Where that state is, to read, lock and write it. `author`: for whom it is written."""
        if backend.kind == "http":
            return InTables(self._states, target.key, author or Author())
        if backend.kind != "s3":
            raise ValueError(f"no way to a state of the {backend.kind} backend")
        settings = backend.config
        endpoint = json.loads(settings["endpoints"])["s3"] if "endpoints" in settings else ""
        name = object_key(settings["key"], target.instance)
        return InBucket(self.buckets, settings["bucket"], name, endpoint, settings.get("region", ""))

    def address(self, target: Target) -> str:
        """The target's state on the built-in backend."""
        parts = [*target.repository.split("/"), target.stack, target.environment, target.instance]
        return f"{self._base_url}/state/" + "/".join(quote(part, safe="") for part in parts if part)

    def _http(self, target: Target) -> dict[str, str]:
        address = self.address(target)
        return {
            "address": address,
            "lock_address": address,
            "unlock_address": address,
            "lock_method": "LOCK",
            "unlock_method": "UNLOCK",
        }

    def _login(self, username: str, password: str) -> dict[str, str]:
        # 30 retries outlast a restart of the bot; with the default (2) an apply would end in errored.tfstate.
        return {
            "TF_HTTP_USERNAME": username,
            "TF_HTTP_PASSWORD": password,
            "TF_HTTP_RETRY_MAX": "30",
        }

    def _s3(self, target: Target, policy: Policy) -> dict[str, str]:
        wanted = policy.stacks[target.stack].backend
        bucket = wanted.bucket or self._default.bucket
        if not bucket:
            raise UserError(
                f"The stack `{target.stack}` keeps its states in s3, and no bucket is named.",
                next_step=f"Set `bucket` in `[stack.{target.stack}.backend]` of `envs/environments.toml`.",
            )
        endpoint = wanted.endpoint or self._default.endpoint
        key = policy.key(target.stack, target.environment).replace("{instance}", target.instance)
        settings = {"bucket": bucket, "key": key}
        region = self._default.region if wanted.region in ("", "auto") else wanted.region
        settings["region"] = region or "auto"
        if self._lockfile:
            settings["use_lockfile"] = "true"
        if endpoint:
            settings["endpoints"] = json.dumps({"s3": endpoint})
            for name in _NOT_AWS:
                settings[name] = "true"
        if self._keys:
            settings["profile"] = _PROFILE
            settings["shared_credentials_files"] = json.dumps([str(self._profile())])
        return settings

    def _profile(self) -> Path:
        """The file with the state buckets' access key, readable by the owner alone; the same path each time."""
        path = self._directory / "s3-credentials"
        text = (
            f"[{_PROFILE}]\naws_access_key_id = {self._keys.access_key_id}\n"
            f"aws_secret_access_key = {self._keys.secret_access_key}\n"
        )
        if not path.is_file() or path.read_text() != text:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self._directory)  # mode 0600
            with os.fdopen(handle, "w") as file:
                file.write(text)
            Path(name).replace(path)
        return path


def _same(wanted: str, found: object) -> bool:
    """Whether a setting was taken: lists and maps count by what was given, booleans by their spelling."""
    if isinstance(found, bool):
        return wanted == str(found).lower()
    if isinstance(found, dict | list):
        try:
            given = json.loads(wanted)
        except ValueError:
            return False
        if isinstance(found, dict) and isinstance(given, dict):
            return all(found.get(name) == value for name, value in given.items())
        return bool(given == found)
    return found is not None and wanted == str(found)


def _given(found: object) -> object:
    """A map without what is not set in it."""
    return {name: value for name, value in found.items() if value} if isinstance(found, dict) else found


def _elsewhere(name: str, wanted: object, found: object) -> UserError:
    return UserError(
        f"The state would not be where it belongs: `{name}` should be `{wanted}`, and init took `{outside(str(found))}`.",
        next_step="Remove the backend settings from the repository's Terraform files, then `/plan` again.",
    )
