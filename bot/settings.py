"""The only reader of the process environment: every setting, its default and what it is for."""

from __future__ import annotations

import os
import re
import socket
import tomllib
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import UserError

PREFIX = "TOWPATH_"
_SLACK_USER = re.compile(r"([A-Z0-9]+/)?[A-Z0-9]+", re.ASCII)


class Settings(BaseSettings):
    """Read from variables named `TOWPATH_…` (and `PORT`); docs/settings.md is generated from these fields."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        default=Path("data"), description="Where mirrors, worktrees and, with SQLite, the database live."
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL; empty means SQLite in the data directory. Postgres: `postgresql://…`.",
    )
    public_url: str = Field(
        default="", description="Address people and Terraform reach the bot at; links start with it."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("PORT", "TOWPATH_PORT"),
        description="Port to listen on.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key(s) for encryption at rest, comma-separated, the first encrypts. "
        "Empty: one is made and kept in the data directory, readable by the owner alone.",
    )
    slots: int = Field(
        default=4, ge=1, le=64, description="How many Terraform processes one worker runs at once."
    )
    terraform_bin: str = Field(
        default="",
        description="Terraform or OpenTofu to run; empty: the one on PATH, else the embedded engine.",
    )
    terraform_cli_config: str = Field(
        default="",
        description="A Terraform CLI configuration file for all runs (provider mirrors, plugin cache).",
    )
    log_json: bool = Field(default=False, description="Log as JSON lines instead of text.")

    github_api_url: str = Field(
        default="https://api.github.com", description="GitHub's API (GHES: `https://host/api/v3`)."
    )
    github_app_id: str = Field(default="", description="The GitHub App's id.")
    github_private_key: SecretStr = Field(default=SecretStr(""), description="The App's private key (PEM).")
    github_private_key_file: str = Field(default="", description="A file with the App's private key.")
    github_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that signs GitHub's webhooks."
    )
    github_token: SecretStr = Field(
        default=SecretStr(""),
        description="A token instead of an App; commit statuses then replace check runs.",
    )

    github_writes_per_minute: int = Field(
        default=80,
        ge=1,
        description="Content writes that GitHub allows a minute; only an Enterprise Server's differ.",
    )

    slack_api_url: str = Field(default="https://slack.com/api/", description="Slack's API.")
    slack_bot_token: SecretStr = Field(
        default=SecretStr(""), description="The Slack app's bot token (`xoxb-…`)."
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that signs Slack's requests."
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        description="App token (`xapp-…`): use Socket Mode, which needs no public address.",
    )
    slack_channel: str = Field(
        default="", description="Channel (id or name) where pull requests' cards are posted."
    )
    slack_command: str = Field(default="/infra", description="The slash command's name in this workspace.")
    slack_logins: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Static map of Slack users to GitHub logins: `U01=ann,T02/U03=bob`. A bare user id is of the "
        "bot's own workspace.",
    )

    s3_endpoint_url: str = Field(
        default="", description="S3 endpoint for state backends (R2, MinIO); empty: AWS."
    )
    s3_bucket: str = Field(default="", description="Bucket of s3 state backends where the policy names none.")
    s3_access_key_id: SecretStr = Field(default=SecretStr(""), description="Access key for the state bucket.")
    s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""), description="Secret key for the state bucket."
    )
    s3_region: str = Field(default="auto", description="Region of the state bucket (`auto` on R2).")

    worker_name: str = Field(
        default_factory=socket.gethostname, description="This worker's name; one live process each."
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token for /metrics; empty: loopback only."
    )

    @field_validator("slack_logins", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.split("=", 1) for pair in value.split(",") if pair.strip()]
        if any(
            len(pair) != 2 or not _SLACK_USER.fullmatch(pair[0].strip()) or not pair[1].strip()
            for pair in pairs
        ):
            raise ValueError("write it as U01=ann,T02/U03=bob")
        return {user.strip(): login.strip() for user, login in pairs}

    @field_validator("slack_command")
    @classmethod
    def _slash(cls, value: str) -> str:
        return value if value.startswith("/") else f"/{value}"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'towpath.db'}"

    @cached_property
    def address(self) -> str:
        """The base of every link, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def local_address(self) -> str:
        """Where Terraform on this machine reaches the built-in state backend."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104  (compared, not bound)
        return f"http://{host}:{self.port}"

    @cached_property
    def private_key(self) -> str:
        """The App's key. Raises UserError where its file cannot be read."""
        if key := self.github_private_key.get_secret_value():
            return key.replace("\\n", "\n")
        if not self.github_private_key_file:
            return ""
        try:
            return Path(self.github_private_key_file).read_text()
        except OSError as error:
            raise UserError(
                f"TOWPATH_GITHUB_PRIVATE_KEY_FILE cannot be read: {error.strerror or error}.",
                next_step="Point it at the App's .pem file.",
            ) from None

    @property
    def github_on(self) -> bool:
        return bool(self.github_token.get_secret_value() or self.github_app_id)

    @property
    def slack_on(self) -> bool:
        return bool(self.slack_bot_token.get_secret_value())

    def secrets(self) -> list[str]:
        """Values that must never reach a log: also a database's password, each key of several, a key from a file."""
        found = [value.get_secret_value() for value in vars(self).values() if isinstance(value, SecretStr)]
        keys = self.secret_key.get_secret_value().split(",")
        with suppress(UserError):
            found.append(self.private_key)
        with suppress(ValueError):
            found.append(unquote(urlsplit(self.database_url).password or ""))
        return list(dict.fromkeys(value for value in (*found, *(key.strip() for key in keys)) if value))

    def missing(self) -> list[str]:
        """What is off or wrong, one sentence each, for the start's log and `towpath doctor`."""
        notes = []
        if not self.github_on:
            notes.append(
                "GitHub is off: set TOWPATH_GITHUB_APP_ID and its private key, or TOWPATH_GITHUB_TOKEN."
            )
        elif not self.github_webhook_secret.get_secret_value():
            notes.append("GitHub's webhooks are refused: set TOWPATH_GITHUB_WEBHOOK_SECRET.")
        if not self.slack_on:
            notes.append("Slack is off: set TOWPATH_SLACK_BOT_TOKEN and TOWPATH_SLACK_SIGNING_SECRET.")
        elif not (self.slack_signing_secret.get_secret_value() or self.slack_app_token.get_secret_value()):
            notes.append(
                "Slack's requests are refused: set TOWPATH_SLACK_SIGNING_SECRET or TOWPATH_SLACK_APP_TOKEN."
            )
        elif not self.slack_channel:
            notes.append("Slack shows no cards: set TOWPATH_SLACK_CHANNEL.")
        return notes


def load(**overrides: object) -> Settings:
    """The settings in force. Raises UserError naming each variable that is wrong (never its value)."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{'.'.join(str(part) for part in problem['loc']).upper().removeprefix(PREFIX)}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise UserError(f"The settings are wrong: {problems}.", next_step="See docs/settings.md.") from None


def process_environment() -> dict[str, str]:
    """A copy of the whole environment, for the adapters that pick an allowlist or a prefix from it."""
    return dict(os.environ)


def secrets_file(data_dir: Path) -> dict[str, str]:
    """`secrets.toml` in the data directory, beside the environment: `STAGING_TOKEN = "…"`. Empty where there is none.

    Raises UserError, without a word of its content, where it is not TOML.
    """
    path = data_dir / "secrets.toml"
    if not path.is_file():
        return {}
    try:
        return {key: str(value) for key, value in tomllib.loads(path.read_text()).items()}
    except ValueError:
        raise UserError(
            f"{path} is not TOML.", next_step='Write lines such as STAGING_TOKEN = "…".'
        ) from None
