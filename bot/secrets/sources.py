"""All sources together: of two that set a variable, the later one in the order of `SecretSources` counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain.identity import EnvironmentSecrets, Given
from bot.domain.ports.secrets import SecretsScope
from bot.secrets.command import SecretsCommand


class SecretSources:
    """Implements bot.domain.ports.secrets.Secrets: the process environment, then the file, then the command.

    environment: the variables of the process that are not the bot's own. file: reads the file. own: what the bot's
    settings begin with, which no prefix may give away, wherever they are written.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        file: Callable[[], Mapping[str, str]],
        command: SecretsCommand | None = None,
        *,
        own: str,
    ) -> None:
        self._environment = environment
        self._file = file
        self._command = command
        self._own = own

    def __call__(self, scope: SecretsScope) -> EnvironmentSecrets:
        """Return the secrets of an environment. Raises SecretsUnavailable if one of the sources does not work."""
        values: dict[str, str] = {}
        given: dict[str, Given] = {}
        for name, value in self._prefixed(self._environment, scope.prefix):
            values[name], given[name] = value, Given("environment", scope.prefix + name)
        for name, value in self._prefixed(self._file(), scope.prefix):
            values[name], given[name] = value, Given("file", scope.prefix + name)
        for phase, printed in (self._command.by_phase(scope) if self._command else {}).items():
            for name, value in printed.items():
                values[phase + name], given[phase + name] = value, Given("command", name)
        return EnvironmentSecrets.split(values, given)

    def _prefixed(self, variables: Mapping[str, str], prefix: str) -> list[tuple[str, str]]:
        return [
            (name.removeprefix(prefix), value)
            for name, value in variables.items()
            if name.startswith(prefix) and name != prefix and not name.startswith(self._own)
        ]
