"""Several sources: which one counts, and what none of them gives away."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.identity import EnvironmentSecrets, Given
from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.secrets import SecretSources

STAGING = SecretsScope("acme/infra", "staging", "STAGING_")


class Command:
    """Prints what it was told to, by phase."""

    def __init__(self, **printed: dict[str, str]) -> None:
        self.printed = printed

    def by_phase(self, _scope: SecretsScope) -> dict[str, dict[str, str]]:
        return {name.removeprefix("both"): values for name, values in self.printed.items()}


def asked(
    environment: dict[str, str], file: dict[str, str] | None = None, command: Any = None
) -> EnvironmentSecrets:
    return SecretSources(environment, lambda: file or {}, command, own="TOWPATH_")(STAGING)


def test_the_file_wins_over_the_environment_and_the_command_over_both() -> None:
    found = asked(
        {"STAGING_A": "env", "STAGING_B": "env", "STAGING_C": "env", "PROD_A": "prod"},
        {"STAGING_B": "file", "STAGING_C": "file"},
        Command(both={"C": "command"}),
    )
    assert found.plan == found.apply == {"A": "env", "B": "file", "C": "command"}
    assert found.origins["plan"] == {
        "A": Given("environment", "STAGING_A"),
        "B": Given("file", "STAGING_B"),
        "C": Given("command", "C"),
    }


def test_a_phases_own_variable_wins_wherever_it_is_set() -> None:
    found = asked({"STAGING_PLAN_KEY": "reads"}, None, Command(both={"KEY": "writes"}))
    assert (found.plan, found.apply) == ({"KEY": "reads"}, {"KEY": "writes"})
    assert found.origins["plan"]["KEY"] == Given("environment", "STAGING_PLAN_KEY")


def test_what_a_command_prints_for_a_phase_is_that_phases_whatever_it_is_called() -> None:
    command = Command(PLAN_={"KEY": "reads", "PLAN_ID": "p"}, APPLY_={"KEY": "writes"})
    found = asked({"STAGING_KEY": "env", "STAGING_APPLY_KEY": "env"}, None, command)
    assert found.plan == {"KEY": "reads", "PLAN_ID": "p"}
    assert found.apply == {"KEY": "writes"}
    assert found.origins["apply"]["KEY"] == Given("command", "KEY")


def test_a_source_that_does_not_work_leaves_nothing() -> None:
    class Broken:
        def by_phase(self, _scope: SecretsScope) -> dict[str, dict[str, str]]:
            raise SecretsUnavailable("broken")

    with pytest.raises(SecretsUnavailable, match="broken"):
        asked({"STAGING_A": "env"}, None, Broken())


@pytest.mark.parametrize("prefix", ["TOWPATH_", "TOWPATH_GITHUB_", "TO"])
def test_no_prefix_gives_away_the_bots_own_settings(prefix: str) -> None:
    own = {"TOWPATH_GITHUB_TOKEN": "hunter2"}
    sources = SecretSources(own, lambda: own, own="TOWPATH_")
    assert sources(SecretsScope("acme/infra", "staging", prefix)).plan == {}


def test_its_text_has_no_values() -> None:
    assert "hunter2" not in repr(asked({"STAGING_A": "hunter2"}))
