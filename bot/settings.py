"""Settings from the process environment, which no other module reads."""

from __future__ import annotations

import os
import re
import shlex
import socket
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import UserError

PREFIX = "TOWPATH_"
_SLACK_USER = re.compile(r"([A-Z0-9]+/)?[A-Z0-9]+", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SECRET_NAME = re.compile(r"passw|secret|token|key|credential|role_id", re.IGNORECASE)
_COMMAND_ARGUMENTS = ("env", "phase", "repository")


class Settings(BaseSettings):
    """Every setting with its default, read from `TOWPATH_…` variables and `PORT`. docs/settings.md is generated from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        default=Path("data"),
        description="Directory for repository mirrors, worktrees and, with SQLite, the database.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL. Empty: SQLite in the data directory. Postgres: `postgresql://…`.",
    )
    public_url: str = Field(
        default="",
        description="Address where people, Terraform and clouds reach the bot; links start with it, and it is the issuer "
        "of [cloud identities](identity.md), which needs https.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("PORT", "TOWPATH_PORT"),
        description="Port to listen on.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks of proxies in front of the bot, comma-separated: `127.0.0.1,10.0.0.0/8`. "
        "Only from these is `X-Forwarded-For` taken as the address of the client. Empty: none.",
    )
    max_connections: int = Field(
        default=1000,
        ge=16,
        description="Maximum number of simultaneous HTTP connections. Beyond it, the oldest that has not sent a complete request is closed.",
    )
    max_connections_per_address: int = Field(
        default=250,
        ge=4,
        description="The same for each address; an IPv6 /64 counts as one. Trusted proxies are exempt.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key for encryption at rest. While replacing it, several, comma-separated: the first encrypts, all "
        "decrypt. Empty: a key is generated and kept in the data directory, readable only by its owner.",
    )
    actions_key: SecretStr = Field(
        default=SecretStr(""),
        description='Key that the bot shares with its workflow in GitHub Actions, for environments with `runner = "actions"`: '
        "at least 32 random characters, the same as the secret TOWPATH_ACTIONS_KEY there.",
    )
    slots: int = Field(
        default=4, ge=1, le=64, description="How many Terraform processes one worker runs at the same time."
    )
    plans_per_person: int = Field(
        default=60,
        ge=0,
        description="How many times an hour one person may request plans, across all pull requests. 0: no limit.",
    )
    plans_per_pull: int = Field(
        default=30,
        ge=0,
        description="How many times an hour a pull request may be planned, by pushes and people together. 0: no limit.",
    )
    max_paths: int = Field(
        default=50_000,
        ge=100,
        description="Files and directories that a commit may have; larger ones are refused. Each takes about 1 KB of memory "
        "while a commit is read.",
    )
    terraform_bin: str = Field(
        default="",
        description="Terraform or OpenTofu to run: a path, or a name on PATH. Empty: the one on PATH, else the embedded engine.",
    )
    terraform_cli_config: str = Field(
        default="",
        description="Terraform CLI configuration file for all runs (provider mirrors, plugin cache).",
    )
    sandbox: Literal["landlock", "bubblewrap", "off"] = Field(
        default="landlock",
        description="What confines Terraform, its providers and smoke commands: `landlock` (Linux 5.13 or later), "
        "`bubblewrap`, or `off`, which lets them read whatever the bot can read.",
    )
    sandbox_read: str = Field(
        default="",
        description="Additional paths that sandboxed processes may read and run, separated by `:`, such as a provider mirror.",
    )
    sandbox_write: str = Field(
        default="", description="Additional paths that sandboxed processes may write to, separated by `:`."
    )
    secrets_file: str = Field(
        default="",
        description="TOML file with [secrets](secrets.md) of environments. Empty: `secrets.toml` in the data directory.",
    )
    secrets_command: str = Field(
        default="",
        description="Command that prints the [secrets](secrets.md#a-command) of an environment, run without a shell: "
        "`/opt/vault-get {env} {phase}`. May use `{env}`, `{phase}` and `{repository}`.",
    )
    secrets_command_env: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Variables of the bot that the secrets command gets, comma-separated: `HOME,VAULT_ADDR,VAULT_TOKEN`. No run "
        "of Terraform gets them.",
    )
    secrets_command_timeout: int = Field(
        default=10, ge=1, le=300, description="Seconds that the secrets command may take."
    )
    secrets_command_cache: int = Field(
        default=60,
        ge=0,
        le=3600,
        description="Seconds for which what the secrets command printed is kept in memory. 0: it is not kept.",
    )
    log_json: bool = Field(default=False, description="Log JSON lines instead of text.")

    github_api_url: str = Field(
        default="https://api.github.com",
        description="Address of GitHub's API. GitHub Enterprise Server: `https://<host>/api/v3`.",
    )
    github_app_id: str = Field(default="", description="Id of the GitHub App.")
    github_private_key: SecretStr = Field(
        default=SecretStr(""),
        description="Private key of the GitHub App (PEM; line ends may be written as `\\n`).",
    )
    github_private_key_file: str = Field(default="", description="Path of a file with the App's private key.")
    github_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret of the GitHub webhook. Without it, every webhook is rejected.",
    )
    github_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token to use instead of an App. Commit statuses then replace check runs.",
    )

    github_writes_per_minute: int = Field(
        default=80,
        ge=1,
        description="Content-creating requests that GitHub allows per minute. Change it only if your Enterprise Server has another limit.",
    )

    slack_api_url: str = Field(default="https://slack.com/api/", description="Address of Slack's API.")
    slack_bot_token: SecretStr = Field(
        default=SecretStr(""), description="Bot token of the Slack app (`xoxb-…`)."
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signing secret of the Slack app. Without it, requests over HTTP are rejected.",
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        description="App-level token (`xapp-…`). Turns on Socket Mode, which needs no public address.",
    )
    slack_channel: str = Field(
        default="", description="Channel (id or name) where pull request cards are posted."
    )
    slack_command: str = Field(default="/infra", description="Name of the slash command in this workspace.")
    slack_logins: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="GitHub logins of Slack users: `U01=ann,U03=bob`. Only members of the bot's own workspace count, whatever "
        "workspace is written before an id.",
    )

    s3_endpoint_url: str = Field(
        default="", description="S3 endpoint of the state bucket (R2, MinIO). Empty: AWS."
    )
    s3_bucket: str = Field(
        default="", description="State bucket for s3 backends, unless the policy names one."
    )
    s3_access_key_id: SecretStr = Field(
        default=SecretStr(""), description="Access key id for the state bucket."
    )
    s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""), description="Secret access key for the state bucket."
    )
    s3_region: str = Field(default="auto", description="Region of the state bucket (`auto` on R2).")

    export_bucket: str = Field(
        default="",
        description="Bucket for the files of exports, at the S3 endpoint above. Empty: `exports/` below the data directory, which "
        "only works for one machine.",
    )

    worker_name: str = Field(
        default_factory=socket.gethostname,
        description="Name of this worker. If another running worker has it, a number is appended.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token for /metrics. Empty: only loopback may read it."
    )

    @field_validator("slack_logins", mode="before")
    @classmethod
    def _parse_slack_logins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.split("=", 1) for pair in value.split(",") if pair.strip()]
        if any(
            len(pair) != 2 or not _SLACK_USER.fullmatch(pair[0].strip()) or not pair[1].strip()
            for pair in pairs
        ):
            raise ValueError("must look like U01=ann,T02/U03=bob")
        return {user.strip(): login.strip() for user, login in pairs}

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_trusted_proxies(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = tuple(part.strip() for part in value.split(",") if part.strip())
        for one in found:
            try:
                network = ip_network(one)
            except ValueError:
                raise ValueError("must look like 127.0.0.1,10.0.0.0/8") from None
            if network.prefixlen == 0:
                raise ValueError("must not contain every address: anybody could then claim any address")
        return found

    @field_validator("secrets_command")
    @classmethod
    def _check_secrets_command(cls, value: str) -> str:
        try:
            shlex.split(value)
        except ValueError:
            raise ValueError("must be a command whose quotes are closed") from None
        for name in re.findall(r"\{([a-z_]+)\}", value):
            if name not in _COMMAND_ARGUMENTS:
                allowed = ", ".join(f"{{{one}}}" for one in _COMMAND_ARGUMENTS)
                raise ValueError(f"may use {allowed}, not {{{name}}}")
        return value

    @field_validator("secrets_command_env", mode="before")
    @classmethod
    def _parse_secrets_command_env(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = tuple(part.strip() for part in value.split(",") if part.strip())
        if not all(_VARIABLE.fullmatch(name) for name in found):
            raise ValueError("must look like HOME,VAULT_ADDR,VAULT_TOKEN")
        if any(name.startswith(PREFIX) for name in found):
            raise ValueError(f"must not name settings of the bot ({PREFIX}…)")
        return found

    @field_validator("slack_command")
    @classmethod
    def _add_slash(cls, value: str) -> str:
        return value if value.startswith("/") else f"/{value}"

    @field_validator("data_dir")
    @classmethod
    def _make_absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy URL to use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'towpath.db'}"

    @cached_property
    def address(self) -> str:
        """The base of every link, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def issuer(self) -> str:
        """The address that tokens for clouds name as their issuer, without a trailing slash; "" if there is none.

        It must be public and https, for OpenID Connect and for every cloud. One on loopback may be http: only tests and
        services on this machine reach it.
        """
        found = urlsplit(self.public_url)
        secure = found.scheme == "https" or (
            found.scheme == "http" and found.hostname in ("127.0.0.1", "::1", "localhost")
        )
        plain = bool(found.hostname) and not (found.query or found.fragment or found.username)
        return self.address if secure and plain else ""

    @cached_property
    def local_address(self) -> str:
        """The address at which Terraform on this machine reaches the built-in state backend."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104  (compared, not bound)
        return f"http://{host}:{self.port}"

    @cached_property
    def private_key(self) -> str:
        """The App's private key (PEM), or "". Raises UserError if its file cannot be read."""
        if key := self.github_private_key.get_secret_value():
            return key.replace("\\n", "\n")
        if not self.github_private_key_file:
            return ""
        try:
            return Path(self.github_private_key_file).read_text()
        except OSError as error:
            raise UserError(
                f"TOWPATH_GITHUB_PRIVATE_KEY_FILE cannot be read: {error.strerror or error}.",
                next_step="Set it to the path of the App's .pem file.",
            ) from None

    @cached_property
    def secrets_path(self) -> Path:
        """The secrets file."""
        return (
            Path(self.secrets_file).expanduser().absolute()
            if self.secrets_file
            else self.data_dir / "secrets.toml"
        )

    @property
    def command_environment(self) -> dict[str, str]:
        """The variables of this process that the secrets command gets."""
        return {name: os.environ[name] for name in self.secrets_command_env if name in os.environ}

    @property
    def github_on(self) -> bool:
        return bool(self.github_token.get_secret_value() or self.github_app_id)

    @property
    def slack_on(self) -> bool:
        return bool(self.slack_bot_token.get_secret_value())

    def secrets(self) -> list[str]:
        """Return the values to redact from logs.

        Besides the secret settings: each of several keys, a private key from a file, the database's password, and what
        the secrets command signs in with.
        """
        values = [value.get_secret_value() for value in vars(self).values() if isinstance(value, SecretStr)]
        keys = [
            key for one in (self.secret_key, self.actions_key) for key in one.get_secret_value().split(",")
        ]
        with suppress(UserError):
            values.append(self.private_key)
        with suppress(ValueError):
            values.append(unquote(urlsplit(self.database_url).password or ""))
        values += [value for name, value in self.command_environment.items() if _SECRET_NAME.search(name)]
        return list(dict.fromkeys(value for value in (*values, *(key.strip() for key in keys)) if value))

    def missing(self) -> list[str]:
        """Return what does not work for want of a setting, one sentence each, for the log at start and `towpath doctor`."""
        notes = []
        if not self.github_on:
            notes.append(
                "GitHub is off: set TOWPATH_GITHUB_APP_ID and TOWPATH_GITHUB_PRIVATE_KEY_FILE, or TOWPATH_GITHUB_TOKEN."
            )
        elif not self.github_webhook_secret.get_secret_value():
            notes.append("GitHub webhooks are rejected: set TOWPATH_GITHUB_WEBHOOK_SECRET.")
        if not self.slack_on:
            return notes
        if not (self.slack_signing_secret.get_secret_value() or self.slack_app_token.get_secret_value()):
            notes.append(
                "Slack requests are rejected: set TOWPATH_SLACK_SIGNING_SECRET or TOWPATH_SLACK_APP_TOKEN."
            )
        elif not self.slack_channel:
            notes.append("Slack gets no pull request cards: set TOWPATH_SLACK_CHANNEL.")
        return notes

    def turned_off(self) -> list[str]:
        """Return which optional parts are off, one sentence each."""
        notes = []
        if not self.slack_on:
            notes.append("Slack is off: set TOWPATH_SLACK_BOT_TOKEN and TOWPATH_SLACK_SIGNING_SECRET.")
        if self.sandbox == "off":
            notes.append(
                "The sandbox is off: plans can read the bot's files and keys. Unset TOWPATH_SANDBOX."
            )
        return notes


def load(**overrides: object) -> Settings:
    """Read the settings. Raises UserError, which names each invalid variable but never its value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{'.'.join(str(part) for part in problem['loc']).upper().removeprefix(PREFIX)}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise UserError(
            f"Invalid settings: {problems}.", next_step="See docs/settings.md for what each takes."
        ) from None


def environment_of_runs(settings: Settings) -> dict[str, str]:
    """Return the variables of the process that may be secrets of environments: not the bot's settings, and not what the
    secrets command signs in with, whatever prefix a policy names."""
    return {
        name: value
        for name, value in process_environment().items()
        if not name.startswith(PREFIX) and name not in settings.secrets_command_env
    }


def process_environment() -> dict[str, str]:
    """Return a copy of the whole environment, for code that selects variables by name or prefix."""
    return dict(os.environ)
