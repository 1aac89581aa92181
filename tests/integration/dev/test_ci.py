"""What ci will do, done in a clone: the latest commit, by ci's rules, on an empty state."""

from __future__ import annotations

from typing import Any

from tests.integration.dev.conftest import Clone, policy


def only(told: dict[str, Any]) -> dict[str, Any]:
    (check,) = told["checks"]
    return dict(check)


def test_the_latest_commit_counts_and_nothing_is_left(clone: Clone) -> None:
    assert clone.told("ci")["checks"] == [], "main changes nothing"
    clone.git("switch", "--quiet", "--create", "change")
    clone.commit({"infra/main.tf": clone.main_tf("large")})
    clone.write({"infra/main.tf": "broken"})
    told = clone.told("ci")
    assert told["uncommitted"] == ["infra/main.tf"]
    check = only(told)
    assert (check["name"], check["conclusion"]) == ("towpath/ci", "success")
    assert check["title"] == "ci (pr-1): 1 to add, 0 to change, 0 to destroy"
    assert 'input = "ci large"' in check["text"]
    assert "1 uncommitted change does not count: infra/main.tf" in clone.run("ci").stdout
    assert not list((clone.top / ".towpath").glob("ci-*"))
    assert not (clone.top / ".towpath" / "towpath.db").exists(), "dev's own state was not used"


def test_verify_applies_checks_and_destroys(clone: Clone) -> None:
    text = policy(clone.port).replace(
        'on_pull_request = "plan"',
        'on_pull_request = "verify"\nsmoke = [{ tcp = "127.0.0.1:PORT", within = "1s" }]'.replace(
            "PORT", str(clone.port)
        ),
    )
    clone.commit({"envs/environments.toml": text})
    clone.git("switch", "--quiet", "--create", "change")
    clone.commit({"infra/main.tf": clone.main_tf("large")})
    failed = only(clone.told("ci"))
    assert (failed["conclusion"], failed["verify"]["ok"]) == ("success", False), (
        "nothing listens at that port"
    )
    assert failed["verify"]["destroy"]["outcome"] == "applied"
    clone.told("up")
    verified = only(clone.told("ci"))["verify"]
    assert (verified["ok"], verified["apply"]["verification"]) == (True, "passed")


def test_environments_that_ci_does_not_have_are_told(clone: Clone) -> None:
    assert clone.refused("ci", "--env", "cii").what.endswith("; did you mean `ci`?")
    assert clone.refused("ci", "--env", "dev").what == "`dev` is local, so ci never runs it."
    clone.git("switch", "--quiet", "--create", "change")
    clone.commit({"infra/main.tf": clone.main_tf("large")})
    assert "prod is not planned for pull requests" in clone.run("ci", "--env", "prod").stdout
    assert only(clone.told("ci", "--env", "prod", "--stack", "infra"))["conclusion"] == "success"
