"""Settings: read from the environment, wrong ones named and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.settings import PREFIX, Settings, environment_of_runs, load

SECRET = "hunter2-never-shown"
FIELDS = sorted(Settings.model_fields)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this machine's own settings."""
    for name in FIELDS:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.delenv("PORT", raising=False)


def wrong(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as caught:
        load()
    assert caught.value.__cause__ is None, "a traceback would show the value"
    assert caught.value.__suppress_context__
    assert "docs/settings.md" in caught.value.next_step
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    found = load()
    assert (found.host, found.port, found.slack_command) == ("127.0.0.1", 8080, "/infra")
    assert found.database == f"sqlite:///{Path.cwd() / 'data' / 'towpath.db'}"
    assert found.address == found.local_address == "http://127.0.0.1:8080"
    assert not found.github_on
    assert not found.slack_on


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TOWPATH_SLOTS", SECRET, "TOWPATH_SLOTS"),
        ("TOWPATH_SLOTS", "0", "greater than or equal to 1"),
        ("TOWPATH_SLOTS", "65", "less than or equal to 64"),
        ("PORT", SECRET, "PORT"),
        ("PORT", "65536", "PORT"),
        ("TOWPATH_PORT", "-1", "PORT"),
        ("TOWPATH_LOG_JSON", SECRET, "TOWPATH_LOG_JSON"),
        ("TOWPATH_SLACK_LOGINS", f"U01{SECRET}", "U01=ann,T02/U03=bob"),
        ("TOWPATH_SLACK_LOGINS", "@ann=ann", "U01=ann,T02/U03=bob"),
        ("TOWPATH_SLACK_LOGINS", "T01/=ann", "U01=ann,T02/U03=bob"),
        ("TOWPATH_SLACK_LOGINS", "U01=", "TOWPATH_SLACK_LOGINS"),
        ("TOWPATH_SLACK_LOGINS", "=ann", "TOWPATH_SLACK_LOGINS"),
    ],
)
def test_a_wrong_one_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    text = wrong(monkeypatch, **{name: value})
    assert told in text
    assert SECRET not in text


def test_all_wrong_ones_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = wrong(monkeypatch, TOWPATH_SLOTS="x", TOWPATH_LOG_JSON="perhaps")
    assert "TOWPATH_SLOTS" in text
    assert "TOWPATH_LOG_JSON" in text


def test_the_platforms_port_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_PORT", "9000")
    assert load().port == 9000
    monkeypatch.setenv("PORT", "9001")
    assert load().port == 9001
    assert load(port=9002).port == 9002


def test_secrets_are_not_in_a_settings_own_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_GITHUB_TOKEN", SECRET)
    monkeypatch.setenv("TOWPATH_SLACK_BOT_TOKEN", "xoxb-1")
    found = load()
    assert SECRET not in f"{found} {found!r}"
    assert set(found.secrets()) == {SECRET, "xoxb-1"}


@pytest.mark.parametrize(
    "name",
    [name for name in FIELDS if name.endswith(("_key", "_secret", "_token")) and name != "s3_access_key_id"],
)
def test_what_is_called_a_secret_is_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", SECRET)
    assert SECRET in load().secrets()


def test_addresses_have_no_slash_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_PUBLIC_URL", "https://towpath.example.com/")
    assert load().address == "https://towpath.example.com"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104  (read, not bound)
def test_terraform_reaches_a_bot_that_listens_everywhere(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("TOWPATH_HOST", host)
    assert load().local_address == "http://127.0.0.1:8080"


def test_people_are_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_SLACK_LOGINS", " U01 = ann , T02/U02=bob,")
    assert load().slack_logins == {"U01": "ann", "T02/U02": "bob"}


def test_the_slash_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_SLACK_COMMAND", "tf")
    assert load().slack_command == "/tf"


def test_the_private_key_by_value_by_file_and_not_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load().private_key == ""
    file = tmp_path / "app.pem"
    file.write_text("-----BEGIN\nx\n")
    monkeypatch.setenv("TOWPATH_GITHUB_PRIVATE_KEY_FILE", str(file))
    assert load().private_key == "-----BEGIN\nx\n"
    monkeypatch.setenv("TOWPATH_GITHUB_PRIVATE_KEY", "-----BEGIN\\ny\\n")
    assert load().private_key == "-----BEGIN\ny\n"


def test_a_private_key_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOWPATH_GITHUB_PRIVATE_KEY_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(UserError, match=r"TOWPATH_GITHUB_PRIVATE_KEY_FILE.*\.pem"):
        load().private_key  # noqa: B018


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "GitHub is off"),
        ({"GITHUB_TOKEN": "x"}, "GitHub webhooks are rejected"),
        ({"GITHUB_APP_ID": "1"}, "GitHub webhooks are rejected"),
        ({}, "Slack is off"),
        ({"SLACK_BOT_TOKEN": "x"}, "Slack requests are rejected"),
        ({"SLACK_BOT_TOKEN": "x", "SLACK_APP_TOKEN": "y"}, "Slack gets no pull request cards"),
    ],
)
def test_what_is_off_is_told(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    settings = load()
    assert any(note.startswith(told) for note in [*settings.missing(), *settings.turned_off()])


def test_where_all_is_set_nothing_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(f"{PREFIX}{name}", "x")
    monkeypatch.setenv("TOWPATH_SLACK_CHANNEL", "infra")
    settings = load()
    assert settings.missing() == settings.turned_off() == []


def test_secrets_that_are_part_of_a_setting_are_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "app.pem").write_text("-----BEGIN\nx\n")
    monkeypatch.setenv("TOWPATH_GITHUB_PRIVATE_KEY_FILE", str(tmp_path / "app.pem"))
    monkeypatch.setenv("TOWPATH_DATABASE_URL", "postgresql://towpath:p%40ss@db/towpath")
    monkeypatch.setenv("TOWPATH_SECRET_KEY", "one-key, another-key")
    assert {"-----BEGIN\nx\n", "p@ss", "one-key", "another-key"} <= set(load().secrets())


def test_what_the_secrets_command_signs_in_with_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_SECRETS_COMMAND_ENV", " HOME, VAULT_TOKEN,VAULT_ADDR ,GONE")
    for name, value in {"HOME": "/home/bot", "VAULT_TOKEN": SECRET, "VAULT_ADDR": "https://v"}.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.command_environment == {
        "HOME": "/home/bot",
        "VAULT_TOKEN": SECRET,
        "VAULT_ADDR": "https://v",
    }
    assert SECRET in settings.secrets()
    assert not {"/home/bot", "https://v"} & set(settings.secrets())


def test_no_run_gets_what_the_secrets_command_signs_in_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_GITHUB_TOKEN", SECRET)
    monkeypatch.setenv("TOWPATH_SECRETS_COMMAND_ENV", "VAULT_TOKEN")
    monkeypatch.setenv("VAULT_TOKEN", SECRET)
    monkeypatch.setenv("STAGING_TOKEN", "x")
    found = environment_of_runs(load())
    assert found["STAGING_TOKEN"] == "x"
    assert SECRET not in found.values()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SECRETS_COMMAND", "vault 'get", "quotes are closed"),
        ("SECRETS_COMMAND", "vault get {environment}", "{env}, {phase}, {repository}, not {environment}"),
        ("SECRETS_COMMAND_ENV", "VAULT-TOKEN", "HOME,VAULT_ADDR,VAULT_TOKEN"),
        ("SECRETS_COMMAND_ENV", "HOME,TOWPATH_SECRET_KEY", "must not name settings of the bot"),
        ("SECRETS_COMMAND_TIMEOUT", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_secrets_command(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    assert told in wrong(monkeypatch, **{f"{PREFIX}{name}": value})


def test_where_the_secrets_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOWPATH_DATA_DIR", str(tmp_path))
    assert load().secrets_path == tmp_path / "secrets.toml"
    monkeypatch.setenv("TOWPATH_SECRETS_FILE", "/run/secrets/towpath.toml")
    assert load().secrets_path == Path("/run/secrets/towpath.toml")


@pytest.mark.parametrize(
    ("address", "issuer"),
    [
        ("", ""),
        ("http://towpath.example.com", ""),
        ("towpath.example.com", ""),
        ("https://", ""),
        ("https://towpath.example.com?a=b", ""),
        ("https://ann@towpath.example.com", ""),
        ("https://towpath.example.com", "https://towpath.example.com"),
        ("https://example.com/towpath/", "https://example.com/towpath"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_issuer_is_public_and_https(monkeypatch: pytest.MonkeyPatch, address: str, issuer: str) -> None:
    monkeypatch.setenv("TOWPATH_PUBLIC_URL", address)
    assert load().issuer == issuer
