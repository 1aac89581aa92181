"""Which secrets of an environment are set, where, and what its modules still lack. Never a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.identity import Access, Given, Source
from bot.domain.secrets import MissingVariable, SecretEntry, SecretsReport
from bot.render.document import (
    Bold,
    Code,
    Command,
    Document,
    Element,
    Heading,
    Items,
    Note,
    Plain,
    Spans,
    Table,
    Text,
)
from bot.render.format import count
from bot.render.markup import to_spans

SOURCES: dict[Source, str] = {
    "environment": "environment",
    "file": "secrets file",
    "command": "secrets command",
}
PHASES: dict[tuple[Access, ...], str] = {
    ("plan",): "plans",
    ("apply",): "applies",
    ("plan", "apply"): "plans and applies",
}


def secrets_report(report: SecretsReport) -> Document:
    """The answer to `/secrets`, and a part of what `towpath doctor` prints."""
    title = f"Secrets of {report.environment}"
    body: list[Element] = [Heading((Plain(title),)), *_missing(report)]
    if report.entries:
        rows = tuple(row for entry in report.entries for row in _rows(entry))
        body.append(Table(("Variable", "For", "Source"), rows, "variables"))
    else:
        body.append(
            Text(
                (
                    Plain("None is set. Their names begin with "),
                    Code(report.prefix),
                    Plain(" where the bot runs."),
                )
            )
        )
    body.append(Note((Plain("Values are never shown. Modules as of "), Code(report.commit[:7]), Plain("."))))
    return Document(title, tuple(body), "warning" if report.missing or report.unread else "plain")


def secrets_overview(reports: Sequence[SecretsReport]) -> Document:
    """The variables of all environments, for the operator."""
    rows = tuple(
        ((Plain(report.repository),), (Plain(report.environment),), *row)
        for report in reports
        for entry in report.entries
        for row in _rows(entry)
    )
    head = ("Repository", "Environment", "Variable", "For", "Source")
    return Document("Secrets", (Table(head, rows, "variables"),) if rows else ())


def _missing(report: SecretsReport) -> tuple[Element, ...]:
    body: list[Element] = []
    if report.missing:
        number = count(len(report.missing), "input variable")
        verb = "has" if len(report.missing) == 1 else "have"
        body.append(Text((Bold(f"{number} {verb} no value, so runs fail:"),)))
        body.append(Items(tuple(map(_lacking, report.missing)), "variables"))
        body.append(Text((Plain("Then run "), Command(f"/plan {report.environment}"), Plain("."))))
    body += [Text(to_spans(sentence)) for sentence in report.unread]
    return tuple(body)


def _lacking(missing: MissingVariable) -> Spans:
    where = (
        Code(missing.variable.name),
        Plain(f" for {PHASES[missing.phases]} ("),
        Code(missing.variable.place),
    )
    return (*where, Plain("). "), *to_spans(missing.next_step))


def _rows(entry: SecretEntry) -> Iterator[tuple[Spans, ...]]:
    """Yield one row, or two if the phases get it from different places."""
    name: Spans = (Code(entry.name), *((Plain(" (setting)"),) if entry.setting else ()))
    if entry.plan == entry.apply and entry.plan is not None:
        yield name, (Plain(PHASES["plan", "apply"]),), _source(entry.plan, entry.name)
        return
    given_in: dict[Access, Given | None] = {"plan": entry.plan, "apply": entry.apply}
    for phase, given in given_in.items():
        if given is not None:
            yield name, (Plain(PHASES[(phase,)]),), _source(given, entry.name)


def _source(given: Given, name: str) -> Spans:
    """Name the source, and what the variable is called there if that is not its own name."""
    own = () if given.name == name else (Plain(": "), Code(given.name))
    return (Plain(SOURCES[given.source]), *own)
