"""What a step tells its runner: nothing that hostile text could turn into a command."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pyrage
import pytest

from bot.actions.encryption import encrypt_for
from bot.actions.oidc import fetch_tokens, issuer
from bot.actions.runner import SUMMARY, Runner
from bot.errors import TransientError, UserError


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"number": 7}))
    names = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    given = {name: str(tmp_path / file) for name, file in names.items()}
    given |= {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "Acme/Infra"}
    return Runner(given, io.StringIO())


def printed(runner: Runner) -> str:
    assert isinstance(runner.out, io.StringIO)
    return runner.out.getvalue()


def test_an_annotation_is_one_line_whatever_its_text(runner: Runner) -> None:
    runner.annotate("error", "50%\n::set-output name=x::y", file="a,b:c.tf", line="3", title="")
    assert printed(runner) == "::error file=a%2Cb%3Ac.tf,line=3::50%25%0A::set-output name=x::y\n"


def test_nothing_inside_a_group_is_a_command(runner: Runner) -> None:
    with runner.group("plan\nstaging"):
        runner.print("::add-mask::x")
    lines = printed(runner).splitlines()
    stopped = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[1])
    assert stopped
    assert lines[0] == "::group::plan%0Astaging"
    assert lines[2:] == ["::add-mask::x", f"::{stopped[1]}::", "::endgroup::"]


def test_an_output_cannot_end_itself(runner: Runner) -> None:
    runner.output("release", "one\nEOF\nother=1")
    text = Path(runner.variables["GITHUB_OUTPUT"]).read_text()
    found = re.fullmatch(r"release<<([0-9a-f]{32})\none\nEOF\nother=1\n\1\n", text)
    assert found


def test_a_summary_stays_within_its_limit(runner: Runner) -> None:
    for _ in range(3):
        runner.summarise("é" * 300_000)
    assert Path(runner.variables["GITHUB_STEP_SUMMARY"]).stat().st_size <= SUMMARY


def test_another_event_is_refused(runner: Runner) -> None:
    assert runner.event("push") == {"number": 7}
    assert runner.repository == "acme/infra"
    with pytest.raises(UserError, match="started by `push`, and this command needs `pull_request`"):
        runner.event("pull_request")


def test_outside_a_workflow_it_says_so() -> None:
    with pytest.raises(UserError, match="GITHUB_EVENT_NAME is not set"):
        Runner({}, io.StringIO()).event("push")


def test_the_issuer_is_githubs_only_where_the_job_may_have_tokens() -> None:
    assert issuer({}) == ""
    url = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com"}
    assert issuer(url) == "https://token.actions.githubusercontent.com"
    assert (
        issuer(url | {"GITHUB_SERVER_URL": "https://git.acme.com"}) == "https://git.acme.com/_services/token"
    )


def test_tokens_are_fetched_for_each_audience(token_service: str) -> None:
    given = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{token_service}/?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
    }
    audiences = {"aws": "sts.amazonaws.com", "vault": "https://vault"}
    assert fetch_tokens(given, audiences) == {
        "aws": "for sts.amazonaws.com, v=1",
        "vault": "for https://vault, v=1",
    }
    with pytest.raises(UserError, match="answered 401"):
        fetch_tokens(given | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "other"}, audiences)


def test_a_token_service_that_does_not_answer_is_tried_again_later() -> None:
    with pytest.raises(TransientError):
        fetch_tokens({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/"}, {"aws": "x"})


def test_only_the_recipients_can_read_an_artifact() -> None:
    ann, bob, carol = (pyrage.x25519.Identity.generate() for _ in range(3))
    sealed = encrypt_for([str(ann.to_public()), str(bob.to_public())], b"kubeconfig")
    assert sealed.startswith(b"age-encryption.org/v1")
    assert [pyrage.decrypt(sealed, [one]) for one in (ann, bob)] == [b"kubeconfig"] * 2
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [carol])
    with pytest.raises(UserError, match="not an age key"):
        encrypt_for(["age1abc"], b"")
