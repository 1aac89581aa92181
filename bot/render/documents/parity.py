"""How environments differ that should be alike."""

from __future__ import annotations

import json

from bot.domain.parity import Comparison, Difference, Parity, Side, joined
from bot.domain.policy import PATH
from bot.render.document import (
    Block,
    Bold,
    Code,
    Details,
    Document,
    Element,
    Heading,
    Items,
    Note,
    Plain,
    Span,
    Spans,
    Text,
)
from bot.render.format import count, one_line
from bot.render.markup import join_spans, to_spans

LONGEST = 80
"""Characters of a value."""
DECLARED = 5
"""Differences of a group in the example of how to declare them."""


def parity(result: Parity) -> Document:
    title = f"Parity of {result.repository}: {_headline(result)}"
    where = (
        f"Var files of the latest commit of #{result.pull}, "
        if result.pull
        else "Var files and policy of the default branch, "
    )
    elements: list[Element] = [Heading((Plain(title),))]
    for comparison in result.comparisons:
        elements += _comparison(comparison, named=len({one.stack for one in result.comparisons}) > 1)
    elements += _advice(result)
    elements += [_unused(result)] if result.unused else []
    elements.append(Note((Plain(where), Code(result.commit[:7]), Plain("."))))
    return Document(title, tuple(elements), "good" if result.ok else "warning")


def _headline(result: Parity) -> str:
    return "no undeclared differences" if result.ok else count(result.undeclared, "undeclared difference")


def _comparison(comparison: Comparison, *, named: bool) -> list[Element]:
    """One group: what is undeclared first, then what is declared and what could not be compared, less prominently."""
    heading: tuple[Span, ...] = (Bold(" ≈ ".join(comparison.environments)),)
    if named:
        heading = (*heading, Plain(" in "), Code(comparison.stack))
    found = comparison.undeclared
    said = count(len(found), "undeclared difference") if found else "no undeclared differences"
    elements: list[Element] = [
        Text((*heading, Plain(f": {said} ({count(comparison.compared, 'item')} compared).")))
    ]
    if found:
        elements.append(Items(tuple(map(_difference, found)), "differences"))
    if comparison.declared:
        told = tuple(
            (*_difference(one), Plain(f". Declared: {one_line(one.reason)}")) for one in comparison.declared
        )
        title = count(len(told), "declared difference")
        elements.append(Details((Plain(title),), (Items(told, "differences"),)))
    if comparison.gaps:
        elements.append(Note(to_spans(f"Not compared: {'; '.join(comparison.gaps)}.")))
    return elements


def _difference(one: Difference) -> Spans:
    """`var.nodes`: `2` in staging (envs/staging.tfvars line 3), missing in prod."""
    return (Code(one.what), Plain(": "), *join_spans([_side(side, one) for side in one.sides], ", "))


def _side(side: Side, one: Difference) -> Spans:
    where = joined(side.environments)
    if side.value is None:
        return (Plain(f"missing in {where}"),)
    short = side.value if len(side.value) <= LONGEST else f"{side.value[: LONGEST - 1]}…"
    value: Span = Plain("a sensitive value") if side.hidden else Code(short)
    kind = f" ({side.kind})" if one.kind == "type" else ""
    place = f" ({side.place})" if side.place else ""
    return (value, Plain(f"{kind} in {where}{place}"))


def _advice(result: Parity) -> list[Element]:
    """How to declare what differs, in lines that can be pasted: one block for each group."""
    groups: dict[tuple[str, ...], dict[str, None]] = {}
    for comparison in result.comparisons:
        names = dict.fromkeys(one.what for one in comparison.undeclared)
        if names:
            groups.setdefault(comparison.environments, {}).update(names)
    elements: list[Element] = []
    for environments, names in groups.items():
        entries = [
            f'  {{ what = {json.dumps(name, ensure_ascii=False)}, reason = "…" }},'
            for name in list(names)[:DECLARED]
        ]
        if environments in result.declares:
            said = f"Make them alike, or add to the `differences` of {' ≈ '.join(environments)} in `{PATH}`:"
            lines = entries
        else:
            said = f"Make them alike, or declare how {joined(environments)} differ in `{PATH}`:"
            head = ["[[parity]]", f"environments = {json.dumps(list(environments))}", "differences = ["]
            lines = [*head, *entries, "]"]
        elements += [Text(to_spans(said)), Block(tuple((line,) for line in lines), "", "lines")]
    return elements


def _unused(result: Parity) -> Note:
    names = [(Code(one.what), Plain(f" ({' ≈ '.join(one.environments)})")) for one in result.unused]
    return Note((Plain("Declared, but there is no such difference: "), *join_spans(names, ", "), Plain(".")))
