"""The page with all that a plan changes, and that nothing is applied that is not on it."""

from __future__ import annotations

import copy
import html
import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.domain.chat import Status, TargetStatus
from bot.domain.plans import PlanSummary, plan_pages, read_plan
from bot.domain.policy.model import Environment
from bot.domain.run import Plan
from bot.errors import UserError
from bot.render import surfaces
from bot.storage.database import Database
from bot.web import plan_page
from bot.web.keys import Keys
from tests.integration.storage import samples
from tests.unit.render import facts
from tests.unit.services.asgi import Client

KEYS = Keys("a-secret")
ADDRESS = "http://bot"
_ids = itertools.count()


@pytest.fixture
def client(database: Database) -> Client:
    return Client(Starlette(routes=list(plan_page.routes(database, KEYS, lambda: facts.NOW))))


def add(database: Database, content: dict[str, Any]) -> Plan:
    """Store a plan as a plan run does."""
    everything = read_plan(content)
    pages = tuple(plan_pages(everything))
    summary = everything.abridged(len(pages)).to_dict()
    plan = samples.plan(f"{next(_ids):020x}", summary=json.loads(json.dumps(summary)))
    with database.begin() as tables:
        tables.plans.add(plan, samples.FILE, pages)
    return plan


def comment(plan: Plan) -> str:
    """The status comment of its pull request."""
    link = KEYS.link(ADDRESS, plan_page.plan_path(plan.id))
    row = TargetStatus(plan.target, Environment("prod"), 7, plan, run=samples.run(plan_id=plan.id))
    return surfaces.comment(
        Status(plan.target.repository, (row,), facts.PULL, (), facts.NOW, plans={plan.id: link})
    )


def read(client: Client, body: str) -> str:
    """The text of the pages that a comment links to."""
    (link,) = set(re.findall(rf"\[full plan\]\({ADDRESS}(/plans/[^)]+)\)", body))
    seen: dict[str, str] = {}
    todo = [link]
    while todo:
        path = todo.pop()
        answer = client.get(path)
        assert answer.status_code == 200
        seen[path] = answer.text
        others = map(html.unescape, re.findall(r'href="(/plans/[^"]+)"', answer.text))
        todo += [other for other in others if other not in seen and other not in todo]
    return html.unescape(re.sub(r"<[^>]+>", "\n", "".join(seen.values())))


def change(number: int, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    return {
        "address": f"module.m.x_thing.n[{number}]",
        "module_address": "module.m",
        "type": "x_thing",
        "change": {"actions": actions, "before": before, "after": after, **more},
    }


# the property

LEAF = st.sampled_from(["a", "b", "", True, False, None, 0, 1, 1.5, "word " * 60, "line\n" * 30])
TREES = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["id", "name", "rule", "a b"]), inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Action", "Sid"]), inner, min_size=1, max_size=3).map(json.dumps)
    ),
    max_leaves=25,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["policy", "tags", "list", "user_data"]), TREES, min_size=1)


class Editor:
    """Changes values at random places, and notes a word of each change: `NEWn` if only the new value has it."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.words: list[str] = []

    def word(self) -> str:
        self.words.append(f"NEW{len(self.words)}x")
        return self.words[-1]

    def edited(self, value: Any) -> Any:
        """A copy of `value` with at least one change in it."""
        if isinstance(value, dict) and value and self._draw(st.booleans()):
            name = self._draw(st.sampled_from(sorted(value)))
            return {**value, name: self.edited(value[name])}
        if isinstance(value, dict):
            return {**value, self.word(): self.word()}
        if isinstance(value, list):
            at = self._draw(st.integers(0, len(value)))
            if at < len(value) and self._draw(st.booleans()):
                return [*value[:at], self.edited(value[at]), *value[at + 1 :]]
            return [*value[:at], self.word(), *value[at:]]
        return self._edited_text(value) if isinstance(value, str) else self.word()

    def _edited_text(self, value: str) -> str:
        if value.startswith(("{", "[")):
            return json.dumps(self.edited(json.loads(value)))
        at = self._draw(st.integers(0, len(value)))
        return f"{value[:at]}{self.word()}{value[at:]}"


@st.composite
def plans(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """A plan, and the words that it must show: each is in a changed part, on one side alone."""
    editor = Editor(draw)
    resources = []
    for number in range(draw(st.integers(1, 4))):
        before = draw(ATTRIBUTES)
        after = copy.deepcopy(before)
        for _ in range(draw(st.integers(1, 3))):
            after = {name: editor.edited(value) for name, value in after.items()}
        sides = draw(st.sampled_from([(before, after), (after, before), (None, after), (after, None)]))
        resources.append(change(number, *sides))
    value = editor.edited(draw(TREES))
    outputs = {"out": {"actions": ["create"], "before": None, "after": value}}
    shown = [word for word in editor.words if word in json.dumps([resources, outputs])]
    return {"resource_changes": resources, "output_changes": outputs}, shown


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plans())
def test_every_changed_leaf_is_on_a_page_that_the_comment_links_to(
    client: Client, database: Database, made: tuple[dict[str, Any], list[str]]
) -> None:
    content, words = made
    text = read(client, comment(add(database, content)))
    assert [word for word in words if word not in text] == []


# large plans


def test_a_long_plan_has_several_pages(client: Client, database: Database) -> None:
    content = {
        "resource_changes": [
            change(number, None, {"text": f"BEGIN{number} " + "x" * 50_000 + f" END{number}"})
            for number in range(30)
        ]
    }
    plan = add(database, content)
    assert plan.summary["pages"] > 3
    text = read(client, comment(plan))
    assert all(f"{mark}{number}" in text for number in range(30) for mark in ("BEGIN", "END"))


def test_one_value_may_be_longer_than_a_page(client: Client, database: Database) -> None:
    lines = "".join(f"line {number} of a long text\n" for number in range(40_000))
    plan = add(database, {"resource_changes": [change(1, None, {"text": lines})]})
    text = read(client, comment(plan))
    assert all(f"line {number} of" in text for number in range(0, 40_000, 1_000))
    assert "… 39,9" in comment(plan)


def test_a_plan_that_nobody_can_review_is_refused() -> None:
    many = PlanSummary(
        changes=tuple(
            replace(read_plan({"resource_changes": [change(1, None, {"t": "x" * 400_000})]}).changes[0])
            for _ in range(1)
        )
        * 250
    )
    with pytest.raises(UserError, match="too much to review"):
        list(plan_pages(many))


def test_three_hundred_resources_stay_readable() -> None:
    """All of 180 destroys are named first, grouped by module and type; the check holds as much as fits."""
    kinds = ["aws_subnet", "aws_route", "aws_instance"]
    resources = [
        {
            "address": f"module.m{n % 4}.{kinds[n % 3]}.this[{n}]",
            "module_address": f"module.m{n % 4}",
            "type": kinds[n % 3],
            "change": {
                "actions": ["delete"] if n < 180 else ["create"],
                "before": {"id": f"i-{n}", "text": "x" * 100} if n < 180 else None,
                "after": None if n < 180 else {"name": f"n-{n}", "text": "y" * 100},
            },
        }
        for n in range(300)
    ]
    everything = read_plan({"resource_changes": resources})
    summary = everything.abridged(1)
    plan = samples.plan("p", summary=summary.to_dict())
    body = comment(plan)
    assert len(body) <= 65_000
    before_the_plan = body[: body.index("```diff")]
    assert all(f"`this[{n}]`" in before_the_plan for n in range(180))
    assert "**destroy** 15 × `aws_subnet` in `module.m0`:" in before_the_plan
    assert "| `module.m0` | `aws_instance` | 15 to destroy, 10 to add |" in before_the_plan
    row = TargetStatus(plan.target, Environment("prod"), 7, plan, run=samples.run(plan_id="p"))
    _, check, text = surfaces.check(row, summary)
    assert all(f"`this[{n}]`" in check for n in range(180))
    assert 55_000 < len(text.encode()) <= 65_535 or "more changes" not in text


# the page itself


def test_without_its_key_a_page_is_not_there(client: Client, database: Database) -> None:
    plan = add(database, {"resource_changes": [change(1, None, {"a": "text"})]})
    for key in ("", KEYS.of("plans/another"), KEYS.of(f"runs/{plan.id}"), KEYS.of("")):
        answer = client.get(f"/plans/{plan.id}", params={"key": key})
        assert answer.status_code == 404
        assert "x_thing" not in answer.text


@pytest.mark.parametrize("number", ["2", "0", "-1", "9" * 30, "x", "²"])
def test_a_page_that_is_not_there(client: Client, database: Database, number: str) -> None:
    plan = add(database, {"resource_changes": [change(1, None, {"a": "text"})]})
    answer = client.get(f"/plans/{plan.id}", params={"key": KEYS.of(f"plans/{plan.id}"), "page": number})
    assert answer.status_code in (200, 404)


def test_what_a_plan_says_is_escaped(client: Client, database: Database) -> None:
    hostile = '</pre><script>alert("x")</script>'
    content = change(1, None, {"a": hostile, hostile: "b"})
    plan = add(database, {"resource_changes": [content | {"address": f"x.y[{hostile}]", "type": hostile}]})
    answer = client.get(f"/plans/{plan.id}", params={"key": KEYS.of(f"plans/{plan.id}")})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_plan_of_the_version_before_has_no_page_and_is_rendered(client: Client, database: Database) -> None:
    old = {
        "add": 1,
        "changes": [
            {
                "address": "a.b",
                "type": "a",
                "action": "update",
                "attributes": [{"path": "x", "before": '"1"', "after": '"2"', "forces_replacement": False}],
                "reason": "",
                "previous_address": "",
                "import_id": "",
                "create_first": False,
            }
        ],
        "drift": [],
        "outputs": [
            {"path": "o", "before": "", "after": '"y' + "z" * 400 + '"', "forces_replacement": False}
        ],
    }
    plan = samples.plan("old", summary=old)
    with database.begin() as tables:
        tables.plans.add(plan, samples.FILE)
    row = TargetStatus(plan.target, Environment("prod"), 7, plan, run=samples.run(plan_id="old"))
    body = surfaces.comment(Status(plan.target.repository, (row,), facts.PULL, (), facts.NOW, plans={}))
    assert '!     x = "1" -> "2"' in body
    assert "full plan" not in body
    assert body.count("z") >= 400
    answer = client.get("/plans/old", params={"key": KEYS.of("plans/old")})
    assert answer.status_code == 404
    assert "/plan prod" in answer.text
