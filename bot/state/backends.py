"""Choose each target's backend: the settings that `init` gets, and access to the state stored there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.domain.policy import BackendPolicy, Policy
from bot.domain.ports.state import Author, StateLocation, States
from bot.domain.ports.terraform import Backend, InitResult
from bot.domain.sanitize import outside
from bot.domain.target import Target
from bot.errors import UserError
from bot.state.bucket import Bucket, Buckets, Keys, object_key
from bot.state.locations import InBucket, InTables
from bot.state.proof import prove

_PROFILE = "towpath-state"
_NOT_AWS = (
    "use_path_style",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_requesting_account_id",
    "skip_region_validation",
    "skip_s3_checksum",
)
"""Settings for R2, MinIO and others, which have no accounts, metadata service, AWS regions or newer checksums."""


def _bucket_of(settings: Mapping[str, str]) -> Bucket:
    endpoint = json.loads(settings["endpoints"])["s3"] if "endpoints" in settings else ""
    return Bucket(settings["bucket"], endpoint, settings.get("region", ""))


def knows_lockfile(version: str) -> bool:
    """Whether the s3 backend of this Terraform or OpenTofu version has `use_lockfile` (1.10 and later)."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= (1, 10)


class Backends:
    """Implements bot.domain.ports.work.Backends.

    states: holds the built-in backend's states. base_url: where Terraform reaches the built-in backend, "" if nothing serves it. directory: a
    private one, for the profile file that passes `keys` to Terraform's s3 backend and to nothing else; `AWS_*`
    variables stay the provider's. defaults: bucket, endpoint and region for policies that set none. lockfile: whether
    the engine knows `use_lockfile`.
    """

    def __init__(
        self,
        states: States,
        *,
        base_url: str,
        directory: Path,
        defaults: BackendPolicy | None = None,
        keys: Keys | None = None,
        lockfile: bool = True,
    ) -> None:
        self._states = states
        self._base_url = base_url.rstrip("/")
        self._directory = directory.absolute()
        self._defaults = defaults or BackendPolicy()
        self._keys = keys or Keys()
        self._lockfile = lockfile
        self.buckets = Buckets(self._keys)

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        """Return what `init` of this target gets; see the port.

        Lists and maps in the settings are JSON, which `-backend-config=NAME=VALUE` accepts for them. Raises UserError
        if the repository's block contradicts the policy, or if no bucket is set.
        """
        rules = policy.stacks[target.stack].backend
        kind = rules.kind or declared or "http"
        if declared not in ("", kind) or kind not in ("http", "s3"):
            raise UserError(
                f'`{target.stack}` has a `backend "{outside(declared)}"` block, but its state belongs in '
                f"{'the s3 backend' if kind == 's3' else 'the built-in backend or in s3'}.",
                next_step="Remove the block and push: Towpath gives every environment a state of its own.",
            )
        if kind == "http" and not self._base_url:
            raise UserError(
                f"The state of `{target.stack}` belongs in Towpath's own backend, which needs a server.",
                next_step=f'Set `kind = "s3"` and a `bucket` in `[stack.{target.stack}.backend]` of `envs/environments.toml`.',
            )
        if kind == "http":
            return Backend("http", self._http(target), self._login(*credential), declared=bool(declared))
        files = (self._profile(),) if self._keys else ()
        return Backend("s3", self._s3(target, policy), files=files, declared=bool(declared))

    def prove(self, expected: Backend, found: InitResult) -> None:
        """Raise UserError, naming the setting, if `init` did not use the target's backend."""
        prove(expected, found)

    def restore(self, kept: Mapping[str, Any]) -> Backend:
        """Return the backend that a plan recorded (`kind`, `config`), without credentials of the built-in one.

        For s3 it also writes the profile file again that the plan refers to.
        """
        if kept["kind"] == "s3" and self._keys:
            self._profile()
        return Backend(kept["kind"], dict(kept["config"]))

    def current(self, target: Target, backend: Backend) -> bytes | None:
        """Return the backend's current state, None if there is none. Raises UserError and TransientError."""
        return self.location(target, backend).read()

    def location(self, target: Target, backend: Backend, author: Author | None = None) -> StateLocation:
        """Return where that state is stored, to read, lock and write it. author: recorded with what is written."""
        if backend.kind == "http":
            return InTables(self._states, target.key, author or Author())
        return self._in_bucket(target, backend)

    def instances(self, target: Target, policy: Policy) -> list[Target]:
        """See the port. Only where the policy names the bucket's kind: what a block in the repository says is not read."""
        if policy.stacks[target.stack].backend.kind != "s3":
            return []
        before = policy.environments[target.environment].instance.partition("{pr}")[0]
        bucket = _bucket_of(self._s3(target, policy))
        keys = set(self.buckets.keys(bucket, object_key("", before).rstrip("/")))
        names = sorted({key.split("/")[1] for key in keys})
        found = [replace(target, instance=name) for name in names]
        return [one for one in found if object_key(self._s3(one, policy)["key"], one.instance) in keys]

    def discard(self, target: Target, backend: Backend) -> bool:
        """See the port."""
        return backend.kind == "http" or self._in_bucket(target, backend).discard()

    def _in_bucket(self, target: Target, backend: Backend) -> InBucket:
        if backend.kind != "s3":
            raise ValueError(f"cannot access states of the {backend.kind} backend")
        key = object_key(backend.config["key"], target.instance)
        return InBucket(self.buckets, _bucket_of(backend.config), key)

    def address(self, target: Target) -> str:
        """Return the URL of the target's state on the built-in backend."""
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
        rules = policy.stacks[target.stack].backend
        bucket = rules.bucket or self._defaults.bucket
        if not bucket:
            raise UserError(
                f"The stack `{target.stack}` stores its states in s3, but no bucket is set.",
                next_step=f"Set `bucket` in `[stack.{target.stack}.backend]` of `envs/environments.toml`.",
            )
        endpoint = rules.endpoint or self._defaults.endpoint
        key = policy.key(target.stack, target.environment).replace("{instance}", target.instance)
        settings = {"bucket": bucket, "key": key}
        region = self._defaults.region if rules.region in ("", "auto") else rules.region
        settings["region"] = region or "auto"
        if self._lockfile:
            settings["use_lockfile"] = "true"
        if endpoint:
            settings["endpoints"] = json.dumps({"s3": endpoint})
            for name in _NOT_AWS:
                settings[name] = "true"
        if self._keys:
            settings["profile"] = _PROFILE
            settings["shared_credentials_files"] = json.dumps([str(self._profile_path)])
        return settings

    @property
    def _profile_path(self) -> Path:
        return self._directory / "s3-credentials"

    def _profile(self) -> Path:
        """Write the file with the access key of the state buckets, readable by its owner only; return its fixed path."""
        path = self._profile_path
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
