"""The list of commands, and the help of one."""

from __future__ import annotations

from bot.domain.chat import CommandHelp, Help
from bot.render.document import Command, Document, Element, Heading, Items, Note, Plain, Table, Text
from bot.render.markup import join_spans, to_elements, to_spans


def help_page(result: Help) -> Document:
    return _one(result.one) if result.one else _all(result)


def _all(result: Help) -> Document:
    rows = tuple(
        ((_usage(one),), to_spans(one.summary), (Plain(_required_role(one.role)),)) for one in result.commands
    )
    elements: tuple[Element, ...] = (
        Table(("Command", "What it does", "Who"), rows, "commands"),
        Note(
            (
                Plain("On GitHub, start a line of a comment with the command; in Slack, write it after "),
                Command(result.slash, numbered=False),
                Plain(". For details: "),
                Command("/help <command>", numbered=False),
            )
        ),
    )
    return Document("Towpath commands", (Heading((Plain("Commands"),)), *elements))


def _one(one: CommandHelp) -> Document:
    examples = tuple((Command(example, numbered=False),) for example in one.examples)
    aliases = [(Command(f"/{alias.lstrip('/')}", numbered=False),) for alias in one.aliases]
    elements: list[Element] = [
        Text((_usage(one), Plain(f" — {one.summary}"))),
        *to_elements(one.description),
    ]
    if examples:
        elements += [Text((Plain("Examples:"),)), Items(examples)]
    elements.append(Note((Plain(f"Who can use it: {_required_role(one.role)}"),)))
    if aliases:
        elements.append(Note((Plain("Aliases: "), *join_spans(aliases, ", "))))
    return Document(f"/{one.name}: {one.summary}", tuple(elements))


def _required_role(role: str) -> str:
    return "everyone" if role in ("none", "read") else f"{role} and above"


def _usage(one: CommandHelp) -> Command:
    return Command(f"/{one.name} {one.usage}".strip(), numbered=False)
