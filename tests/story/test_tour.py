"""The tour itself: it plays, it notices what is not as told, and it says so."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bot.errors import UserError
from bot.playground.tour.narrator import SilentNarrator, TerminalNarrator
from bot.playground.tour.player import play, report
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import Chapter, load, select
from bot.playground.tour.story import Story
from bot.playground.tour.temporary_database import temporary_database
from bot.playground.tour.text import collapsed, plain, table
from bot.playground.world import until

ROOT = Path(__file__).parents[2]
WITHOUT_PATH, ON_POSTGRES = "plan", "crash"
"""The chapters that are played by the command line: with the embedded engine, and on Postgres."""


def towpath(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`towpath tour …` with nothing in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "tour", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def working(directory: Path) -> list[bytes]:
    """Command lines of the Terraforms, and of their keepers, that work below a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cwd").readlink().is_relative_to(directory):
                found.append((path / "cmdline").read_bytes())
    return found


def told(answer: dict[str, Any], chapter: str) -> list[str]:
    """What was not as told, by what `--json` prints of a tour with this chapter."""
    assert [one["name"] for one in answer["chapters"]] == [chapter]
    steps = answer["chapters"][0]["steps"]
    assert steps
    assert all(set(step) == {"step", "ok", "seconds", "detail"} for step in steps)
    assert answer["ok"] == all(step["ok"] for step in steps)
    return [f"{step['step']}: {step['detail']}" for step in steps if not step["ok"]]


def printed(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `--json` printed."""
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["ok"] == (result.returncode == 0)
    return answer


# Each chapter is played once: all of them here, but those two of which the command line's own tests play one each.
@pytest.mark.parametrize(
    "chapter",
    [
        pytest.param(name, marks=pytest.mark.postgres if one.shop else ())
        for name, one in load().items()
        if name not in (WITHOUT_PATH, ON_POSTGRES)
    ],
)
def test_each_chapter_is_as_told(chapter: str) -> None:
    assert told(report(play(select([chapter]), SilentNarrator())), chapter) == []


def test_an_empty_environment_is_enough() -> None:
    """Nothing is on PATH then, and the embedded engine runs."""
    answer = printed(towpath("--chapter", WITHOUT_PATH, "--json"))
    assert told(answer, WITHOUT_PATH) == []


@pytest.mark.postgres
def test_a_chapter_on_postgres_leaves_no_database_behind(empty_postgres_url: str) -> None:
    path = os.environ["PATH"]
    url = ["--database-url", empty_postgres_url]
    answer = printed(towpath("--chapter", ON_POSTGRES, "--json", *url, PATH=path))
    assert told(answer, ON_POSTGRES) == []
    with psycopg.connect(empty_postgres_url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'towpath_tour_%'")
        assert left.fetchall() == []


@pytest.mark.postgres
def test_a_user_who_may_not_create_databases_is_told_so(empty_postgres_url: str) -> None:
    visitor = f"visitor_{secrets.token_hex(4)}"
    url = make_url(empty_postgres_url).set(username=visitor, password="visiting")
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {visitor} LOGIN PASSWORD 'visiting'")
        try:
            with (
                pytest.raises(UserError, match=f"{visitor} may not create databases"),
                temporary_database(url.render_as_string(hide_password=False)),
            ):
                pass
        finally:
            connection.execute(f"DROP ROLE {visitor}")


@pytest.mark.parametrize(
    ("url", "said"), [("mysql://localhost/x", "needs a Postgres URL"), ("::", "is malformed")]
)
def test_other_databases_are_refused(url: str, said: str) -> None:
    with pytest.raises(UserError, match=said), temporary_database(url):
        pass


def test_a_step_that_is_not_as_told_ends_its_chapter(capsys: pytest.CaptureFixture[str]) -> None:
    directories: list[Path] = []

    def tell(story: Story) -> None:
        with story.step("Ann is planned"):
            page = story.propose("add-server")
            until(lambda: working(story.world.directory), what="Terraform", every=0.01)
            directories.append(story.world.directory)
            story.wait_for("a dragon", lambda: "dragon" in page.status, lambda: f"comments {page.replies}")
        with story.step("Nobody comes here"):
            pass

    wrong = Chapter("wrong", "it is not as told", 1, tell)
    (played,) = play([wrong], TerminalNarrator(), patience=0.5)
    assert not played.ok
    assert [(step.step, step.ok) for step in played.steps][1:] == [("Ann is planned", False)]
    assert "expected: a dragon (within 0.5 s)\nseen: comments []" in played.steps[-1].detail
    assert "worker started" in played.steps[-1].detail
    assert working(directories[0]) == []
    shown = capsys.readouterr().out
    assert "ann on GitHub: opens #1" in shown
    assert "✗ failed" in shown


def test_a_mistake_within_a_step_is_a_failure_too() -> None:
    def tell(story: Story) -> None:
        with story.step("Something is looked up"):
            story.resources("atlantis")

    played = play([Chapter("broken", "a mistake", 1, tell)], SilentNarrator())
    assert report(played)["ok"] is False
    assert "KeyError: 'atlantis'" in played[0].steps[-1].detail


def test_an_unknown_chapter_gets_a_guess() -> None:
    result = towpath("--chapter", "lokcs", PATH=os.environ["PATH"])
    assert result.returncode == 1
    assert result.stdout == ""
    assert "There is no chapter `lokcs`. Did you mean `locks`?" in result.stderr


def test_chapters_are_played_once_in_the_order_they_were_asked_for() -> None:
    assert [one.name for one in select(["locks", "plan", "locks"])] == ["locks", "plan"]
    assert list(load()) == [
        "plan",
        "apply-staging",
        "ci-verify",
        "test-environment",
        "locks",
        "push-during-plan",
        "crash",
        "promote",
        "approve",
        "reject",
        "self-approval",
        "push-after-approval",
        "freeze",
        "break-glass",
        "revert",
        "revert-partial",
        "hold",
        "drift",
        "merge-sync",
        "parity",
        "laptop-lock",
        "why",
        "state-only",
        "dev",
        "secrets",
        "stacks-in-order",
        "export",
    ]


def test_a_comment_is_read_as_people_see_it() -> None:
    body = (
        "**Staging** is ready\n\n| Environment | State |\n|---|---|\n| **staging** | [a1b](http://x/y), 1 \\~ 2 \\| 3 |\n\n"
        "<details><summary><b>staging</b>: &#43;4</summary>\n\nlong\n\n</details>\n<!-- towpath:1 -->"
    )
    assert table(body) == [{"Environment": "staging", "State": "a1b, 1 ~ 2 | 3"}]
    assert collapsed(body).endswith("▸ staging: +4")
    assert plain("@&#8203;ann said `/plan`") == "@ann said /plan"
    assert table("no table") == []


def test_an_environment_that_is_not_there_reads_as_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PullPage, "timeline", lambda *_: [])
    page = PullPage(world=None, number=1, author="ann", branch="x")  # type: ignore[arg-type]
    assert page.row("staging")["Next"] == ""
    assert page.reply("anything") == ""
