"""What every chat command must have: a summary, a description, and examples that its own usage takes."""

from __future__ import annotations

import itertools
import pkgutil
from typing import get_args

import pytest

import commands
from bot.domain.actors import Role
from bot.domain.chat.comment_parser import OTHER_BOTS, find_commands
from bot.domain.chat.grammar import GrammarError, Usage
from bot.domain.chat.tokenizer import split_words
from commands import registry

ALL = registry.load()
EXAMPLES = [(name, example) for name, one in ALL.items() for example in one.help.examples]
LONGEST_SUMMARY = 60
"""Characters: it stands in a table, and in Slack's narrow hints."""

each = pytest.mark.parametrize("command", ALL.values(), ids=list(ALL))


@each
def test_it_says_what_it_does(command: registry.Command) -> None:
    told = command.help
    assert told.name == command.name
    assert 10 <= len(told.summary) <= LONGEST_SUMMARY
    assert told.summary[0].isupper()
    assert not told.summary.endswith(".")
    assert told.description == " ".join((command.handler.__doc__ or "").split())
    assert told.description.endswith(".")
    assert told.examples


@each
def test_its_role_is_githubs(command: registry.Command) -> None:
    assert command.role in get_args(Role)
    assert command.help.role == command.role


@each
def test_what_changes_the_world_needs_write(command: registry.Command) -> None:
    if command.changes:
        assert command.role in ("write", "maintain", "admin")


@each
def test_its_handler_takes_what_its_usage_gives(command: registry.Command) -> None:
    code = command.handler.__code__
    taken = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    assert taken == {part.name for part in command.usage.parts}
    assert command.help.usage == command.usage.text


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _name, example in EXAMPLES])
def test_an_example_is_a_command_that_its_usage_takes(name: str, example: str) -> None:
    (line,) = find_commands(example)
    found = registry.find(line.name)
    assert found is not None
    assert found.name == name
    bound = found.usage.bind(split_words(line.text))
    assert set(bound) == {part.name for part in found.usage.parts}


@each
def test_one_word_too_many_or_too_few_shows_the_usage(command: registry.Command) -> None:
    needed = [part for part in command.usage.parts if part.required]
    open_ended = any(part.rest for part in command.usage.parts)
    wrong = [] if open_ended else [f"/{command.name} " + "word " * (len(command.usage.parts) + 1)]
    wrong += [f"/{command.name}"] if needed else []
    for text in wrong:
        with pytest.raises(GrammarError) as caught:
            command.usage.bind(split_words(text))
        assert command.usage.text in caught.value.next_step


def test_no_name_is_taken_twice_and_none_is_another_bots() -> None:
    names = [*ALL, *itertools.chain.from_iterable(one.help.aliases for one in ALL.values())]
    assert len(names) == len(set(names))
    assert not set(names) & OTHER_BOTS


def test_an_alias_is_its_command() -> None:
    for name, one in ALL.items():
        for alias in (name, *one.help.aliases):
            assert registry.find(alias) is one
    assert registry.find("nonsense") is None


def test_each_file_registers_one_command() -> None:
    files = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert {name.replace("-", "_") for name in ALL} == files - {
        "registry",
        "target_argument",
        "approval_target",
        "commit_argument",
    }


def test_a_taken_name_fails_at_import() -> None:
    with pytest.raises(ValueError, match="apply"):
        registry.command("apply", text=registry.HelpText("x", ("/apply",)))(lambda ask: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="replan"):
        registry.command("new", text=registry.HelpText("x", (), aliases=("replan",)))(lambda ask: None)  # type: ignore[arg-type, return-value]
    assert registry.find("new") is None


@pytest.mark.parametrize("usage", ["<env", "[a] <b>", "<a...> <b>", "loose words"])
def test_a_usage_that_cannot_be_followed_fails_at_import(usage: str) -> None:
    with pytest.raises(ValueError, match=r"usage|is ambiguous"):
        Usage.parse(usage)
