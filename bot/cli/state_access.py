"""`towpath state login`, `logout`: use your own Terraform on a state in the built-in backend."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import typer

from bot.cli.state import state
from bot.domain.target import Target
from bot.errors import UserError
from bot.settings import process_environment
from bot.state.remote_backends import StateAccess

TIMEOUT = 60.0
"""Seconds to wait for the bot, which makes three requests to GitHub."""
BACKEND, PASSWORD, PASS = "towpath.backend.hcl", "password", "pass.json"


@state.command()
def login(
    url: str = typer.Option(..., help="The bot's address, such as https://towpath.example.com."),
    repository: str = typer.Option(..., help="owner/name."),
    env: str = typer.Option(..., help="The environment."),
    stack: str = typer.Option("", help="The stack, if there are several."),
    pull: int = typer.Option(
        0, min=0, help="The pull request, for an environment with one instance per pull request."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object, which contains the password."),
) -> None:
    """Get a credential for one target's state, valid for 8 hours. Your GitHub token (GITHUB_TOKEN, GH_TOKEN, or a prompt)
    proves who you are; it is not stored anywhere."""
    wish = {"repository": repository, "environment": env, "stack": stack, "pull": pull}
    given = ask_bot(url, "login", wish)
    try:
        place = directory() / Target.from_key(given["target"]).path
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{url} did not answer like Towpath.", next_step="Check `--url`.") from None
    _keep(place, _address(url, "login"), given)
    if as_json:
        print(json.dumps({**given, "backend_config": str(place / BACKEND)}))
        return
    print(
        f"Signed in as {given['login']} for the state of {given['target']}, until {given['expires_at'][:16]} UTC.\n"
    )
    print(f"  terraform init -reconfigure -backend-config={place / BACKEND}")
    print(f"  export TF_HTTP_USERNAME={given['username']}")
    print(f'  export TF_HTTP_PASSWORD="$(cat {place / PASSWORD})"')
    print("  export TF_HTTP_RETRY_MAX=30\n")
    if given.get("note"):
        print(str(given["note"]).replace("`", "") + "\n")
    print('Add an empty `backend "http" {}` block to the configuration, in a file that git does not track.')


@state.command()
def logout(
    target: str = typer.Argument("", help="owner/name:stack:env, as `login` named it. Default: all."),
) -> None:
    """Delete the credentials, here and on the bot."""
    root = directory()
    places = [root / _known(target).path] if target else [path.parent for path in root.rglob(PASS)]
    found = [place for place in places if (place / PASS).is_file()]
    if not found:
        print("There are no credentials to delete.")
        return
    for place in found:
        kept = json.loads((place / PASS).read_text())
        password = (place / PASSWORD).read_text().strip()
        shutil.rmtree(place)
        try:
            _send("DELETE", kept["address"], auth=(kept["username"], password))
        except UserError as error:
            print(
                f"{kept['target']}: deleted here; on the bot it stays valid until it expires. {error.what}",
                file=sys.stderr,
            )
            continue
        print(f"{kept['target']}: deleted.")


def ask_bot(url: str, what: str, wish: Mapping[str, object]) -> dict[str, Any]:
    """Return what the bot answers about a target's state (`login`, `place`) to the owner of the GitHub token. Raises
    UserError."""
    answer = _send("POST", _address(url, what), json=wish, headers={"Authorization": f"Bearer {_token()}"})
    try:
        return dict(answer.json())
    except (ValueError, TypeError):
        raise UserError(f"{url} did not answer like Towpath.", next_step="Check `--url`.") from None


def kept_access(target: Target) -> StateAccess:
    """Return the credential of a target's state that `login` stored. Raises UserError if there is none."""
    place = directory() / target.path
    try:
        lines = (place / BACKEND).read_text().splitlines()
        config = {
            name: str(json.loads(value)) for name, _, value in (line.partition(" = ") for line in lines)
        }
        username = str(json.loads((place / PASS).read_text())["username"])
        return StateAccess(config, username, (place / PASSWORD).read_text().strip())
    except (OSError, ValueError, KeyError):
        stack = f" --stack {target.named_stack}" if target.named_stack else ""
        raise UserError(
            f"There is no credential for the state of {target.key} on the bot.",
            next_step=f"Run `towpath state login --url <the bot's address> --repository {target.repository} --env "
            f"{target.environment}{stack}`.",
        ) from None


def directory() -> Path:
    """Return where credentials are stored: the user's configuration directory, never a repository."""
    kept = process_environment().get("XDG_CONFIG_HOME", "")
    return (Path(kept) if kept else Path.home() / ".config") / "towpath" / "state"


def _known(target: str) -> Target:
    try:
        return Target.from_key(target)
    except ValueError:
        raise UserError(
            f"`{target}` is not a target.",
            next_step="Write it as owner/name:stack:env, as printed by `login`.",
        ) from None


def _address(url: str, what: str) -> str:
    """Return the address to ask. Raises UserError if the token would be sent unencrypted."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    ):
        return f"{url.rstrip('/')}/state/{what}"
    raise UserError(
        f"{url} is not https: your token could be read on its way.",
        next_step="Use an https address as `--url`.",
    )


def _token() -> str:
    environment = process_environment()
    given = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
    if not given and sys.stdin.isatty():
        given = getpass.getpass("GitHub token (not shown, not kept): ")
    if not given or not given.strip():
        raise UserError("There is no GitHub token.", next_step='Set GITHUB_TOKEN="$(gh auth token)".')
    return given.strip()


def _send(method: str, address: str, **more: Any) -> httpx.Response:
    """Return the bot's answer. Raises UserError with the bot's own message."""
    try:
        answer = httpx.request(method, address, timeout=TIMEOUT, **more)
    except (httpx.HTTPError, UnicodeEncodeError) as error:
        raise UserError(
            f"{address} does not answer: {type(error).__name__}.",
            next_step="Check that it is the bot's address.",
        ) from None
    if answer.is_success:
        return answer
    try:
        told = answer.json()
        what, step = str(told["error"]), str(told["next_step"])
    except (ValueError, KeyError, TypeError):
        what, step = (
            f"{address} answers {answer.status_code}.",
            "Check that it is the bot's address and that the versions match.",
        )
    raise UserError(what, next_step=step)


def _keep(place: Path, address: str, given: dict[str, Any]) -> None:
    """Write the files that Terraform needs, readable by their owner only."""
    settings = {name: str(value) for name, value in given["config"].items()}
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in sorted(settings.items()))
    kept = {"address": address, "target": given["target"], "username": given["username"]}
    for name, text in ((BACKEND, lines), (PASSWORD, given["password"]), (PASS, json.dumps(kept))):
        (place / name).unlink(missing_ok=True)
        with os.fdopen(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
