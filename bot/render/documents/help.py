"""What one may say."""

from __future__ import annotations

from bot.domain.results import CommandHelp, Help
from bot.render.document import (
    Command,
    Document,
    Element,
    Heading,
    Items,
    Note,
    Plain,
    Table,
    Text,
    join,
    say,
    tell,
)


def help_page(result: Help) -> Document:
    return _one(result.one) if result.one else _all(result)


def _all(result: Help) -> Document:
    rows = tuple(((_usage(one),), say(one.summary), (Plain(_who(one.role)),)) for one in result.commands)
    said: tuple[Element, ...] = (
        Table(("Command", "What it does", "Who"), rows, "commands"),
        Note(
            (
                Plain("On GitHub a command stands at the start of a line of a comment; in Slack it follows "),
                Command(result.slash, numbered=False),
                Plain(". "),
                Command("/help <command>", numbered=False),
                Plain(" tells more."),
            )
        ),
    )
    return Document("What Towpath understands", (Heading((Plain("Commands"),)), *said))


def _one(one: CommandHelp) -> Document:
    examples = tuple((Command(example, numbered=False),) for example in one.examples)
    others = [(Command(f"/{alias.lstrip('/')}", numbered=False),) for alias in one.aliases]
    said: list[Element] = [Text((_usage(one), Plain(f" — {one.summary}"))), *tell(one.description)]
    if examples:
        said += [Text((Plain("For example:"),)), Items(examples)]
    said.append(Note((Plain(f"Who may: {_who(one.role)}"),)))
    if others:
        said.append(Note((Plain("Also: "), *join(others, ", "))))
    return Document(f"/{one.name}: {one.summary}", tuple(said))


def _who(role: str) -> str:
    """A role as people read it: what anybody may needs none."""
    return "everybody" if role in ("none", "read") else f"{role} and above"


def _usage(one: CommandHelp) -> Command:
    return Command(f"/{one.name} {one.usage}".strip(), numbered=False)
