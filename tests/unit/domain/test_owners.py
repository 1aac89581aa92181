"""Code owners as GitHub reads them, and an error wherever that is not sure."""

from __future__ import annotations

import time

import pytest
from codeowners import path_to_regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.approvals.codeowners import LARGEST, matcher, owned_paths
from bot.errors import UserError

PLACE = ".github/CODEOWNERS"


def of(text: str | bytes, *paths: str) -> dict[str, tuple[str, ...]]:
    """Path → owners; paths of nobody are left out."""
    data = text.encode() if isinstance(text, str) else text
    return {path: tuple(one["any_of"]) for one in owned_paths(data, paths, PLACE) for path in one["paths"]}


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*", ["a.tf", "infra/a.tf", "a/b/c d.tf", ".github/x"], []),
        ("/*", ["a.tf", "a b.tf"], ["infra/a.tf"]),
        ("*.tf", ["a.tf", "infra/b.tf", "a b.tf"], ["a.tfvars", "tf"]),
        ("infra/", ["infra/a.tf", "infra/x/y.tf", "more/infra/a.tf"], ["infra", "infrastructure/a.tf"]),
        ("/infra/", ["infra/a.tf", "infra/x/y.tf"], ["more/infra/a.tf"]),
        ("infra", ["infra/a.tf", "more/infra/a.tf", "infra"], ["infra.tf"]),
        ("infra/*", ["infra/a.tf", "infra/a b.tf"], ["infra/x/y.tf", "more/infra/a.tf"]),
        ("infra/prod", ["infra/prod/a.tf", "infra/prod"], ["more/infra/prod/a.tf", "infra/production"]),
        ("**/prod", ["prod/a.tf", "x/y/prod/a.tf"], ["x/production"]),
        ("infra/**", ["infra/a.tf", "infra/x/y.tf"], ["more/infra/a.tf"]),
        ("infra/**/a.tf", ["infra/a.tf", "infra/x/y/a.tf"], ["infra/ba.tf"]),
        ("env?.tf", ["env1.tf", "x/env2.tf"], ["env.tf", "env/.tf", "env12.tf"]),
        ("a.b", ["a.b"], ["axb"]),
        ("my\\ file.tf", ["my file.tf", "infra/my file.tf"], ["my", "file.tf"]),
        ("Infra/", ["Infra/a.tf"], ["infra/a.tf"]),
    ],
)
def test_a_pattern_matches_as_on_github(pattern: str, matching: list[str], others: list[str]) -> None:
    assert of(f"{pattern} @bob\n", *matching, *others) == dict.fromkeys(matching, ("@bob",))


def test_the_last_line_that_matches_counts() -> None:
    text = "* @ann\n/infra/ @bob @acme/web\n/infra/dns.tf @carol\n"
    assert of(text, "README.md", "infra/main.tf", "infra/dns.tf") == {
        "README.md": ("@ann",),
        "infra/main.tf": ("@acme/web", "@bob"),
        "infra/dns.tf": ("@carol",),
    }
    assert of("/infra/ @bob\n* @ann\n", "infra/main.tf") == {"infra/main.tf": ("@ann",)}


def test_a_line_without_owners_makes_its_paths_nobodys() -> None:
    assert of("* @ann\n/docs/\n/envs/ # nobody\n", "docs/a.md", "envs/a", "b") == {"b": ("@ann",)}


def test_paths_of_the_same_owners_are_one_set() -> None:
    text = b"/a @bob @ann\n/b @ann @bob @ann\n"
    assert owned_paths(text, ["b", "a", "a"], PLACE) == ({"paths": ["a", "b"], "any_of": ["@ann", "@bob"]},)


def test_a_comment_names_no_owners() -> None:
    text = "# @eve owns it all\n   # * @eve\n/infra/ @bob # not @eve\n/envs/ @bob #@eve\n"
    assert of(text, "infra/a", "envs/a", "x") == {"infra/a": ("@bob",), "envs/a": ("@bob",)}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks(begin: str, end: str) -> None:
    text = end.join([f"{begin}/infra/ @bob", "", "\t/envs/\t@ann  ", ""])
    assert of(text, "infra/a", "envs/b") == {"infra/a": ("@bob",), "envs/b": ("@ann",)}


def test_an_empty_file_owns_nothing() -> None:
    assert of("", "a") == {}
    assert of("\n\n# nothing\n", "a") == {}
    assert of("* @ann\n") == {}


@pytest.mark.parametrize("owner", ["@ann", "@acme/web", "@Ann-1", "@ann_acme", "@acme/web.team_1"])
def test_logins_and_teams_are_owners(owner: str) -> None:
    assert of(f"* {owner}\n", "a") == {"a": (owner,)}


@pytest.mark.parametrize(
    "line",
    [
        "* bob",
        "* @",
        "* @ann,@bob",
        "* @acme/web/x",
        "!infra/ @bob",
        "[a-c].tf @bob",
        "[z-a].tf @bob",
        "[Section]",
        "^[Section][2] @bob",
    ],
)
def test_what_github_would_pass_over_is_an_error(line: str) -> None:
    with pytest.raises(UserError, match=rf"`{PLACE}` line 2: ") as caught:
        of(f"* @ann\n{line}\n", "a")
    assert "nobody can say who must approve" in caught.value.what
    assert "codeowners = false" in caught.value.next_step


def test_an_owner_by_mail_is_an_error_where_it_counts() -> None:
    text = "/docs/ docs@example.com\n/infra/ @bob\n"
    assert of(text, "infra/a") == {"infra/a": ("@bob",)}
    with pytest.raises(UserError, match=r"docs@example\.com as an owner of `docs/a`, which is not a login"):
        of(text, "docs/a", "infra/a")


def test_a_file_that_github_does_not_load_is_an_error() -> None:
    line = b"* @ann\n"
    assert of(line + b"#" * (LARGEST - len(line) - 1), "a") == {"a": ("@ann",)}
    with pytest.raises(UserError, match="3 MB"):
        of(line + b"#" * (LARGEST - len(line)), "a")


@pytest.mark.parametrize("data", ["* @ann\n".encode("utf-16"), b"\xff* @ann\n"])
def test_another_encoding_is_an_error(data: bytes) -> None:
    with pytest.raises(UserError, match="is not UTF-8"):
        of(data, "a")


@pytest.mark.parametrize("pattern", ["/infra/**", "infra/*", "*", "**/main.tf", "/infra/**/main.tf"])
def test_a_line_end_in_a_name_does_not_escape_its_owners(pattern: str) -> None:
    odd = "infra/\nmain.tf" if pattern == "infra/*" else "infra/a\nb/main.tf"
    assert of(f"{pattern} @bob\n", odd) == {odd: ("@bob",)}


PATTERN = st.lists(
    st.sampled_from(["a", "b", "*", "**", "/", "?", "**/", "/**", "."]), min_size=1, max_size=8
).map("".join)
NAME = st.text("ab.", min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(PATTERN, st.lists(NAME, min_size=1, max_size=6).map("/".join))
def test_a_pattern_means_what_the_library_says(pattern: str, path: str) -> None:
    assert bool(matcher(pattern).search(path)) == bool(path_to_regex(pattern).search(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a*" * 40 + "b", "a" * 4000),
        ("*?" * 30 + "b", "a" * 400),
        ("**/a" * 15 + "/b", "a/" * 1000 + "c"),
        ("**/" * 30 + "b", "a/" * 1000 + "c"),
        ("*" * 50_000 + "b", "a" * 4000),
    ],
)
def test_hostile_patterns_are_read_in_good_time(pattern: str, path: str) -> None:
    before = time.process_time()
    assert of(f"{pattern} @bob\n", path) == {}
    assert time.process_time() - before < 20


def test_a_hundred_thousand_lines_are_read_in_good_time() -> None:
    """For many paths, of which none is in any."""
    lines = "".join(f"/q{number} @ann\n" for number in range(20_000)) + "*.x @ann\n" * 80_000
    before = time.process_time()
    assert of(lines, *(f"infra/{number}/main.tf" for number in range(300))) == {}
    assert time.process_time() - before < 20
