"""Dependencies of a local environment in the policy: what may be written, and what is said of what may not."""

from __future__ import annotations

import pytest

from bot.domain.policy import Need, PolicyError, parse_policy

STACK = '[stack.infra]\nroot = "infra"\n[env.staging]\n[env.dev]\n'


def needs(text: str) -> tuple[Need, ...]:
    return parse_policy(f"{STACK}needs = [{text}]\n", "policy").environments["dev"].needs


def problem(text: str, table: str = STACK) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(f"{table}needs = [{text}]\n", "policy")
    (one,) = caught.value.problems
    return one.partition(": ")[2]


def test_each_kind() -> None:
    command, container, wheel = needs(
        '{ name = "db", command = "postgres -D {data}", ports = [5432], healthy = { tcp = "127.0.0.1:5432" } },'
        '{ name = "cache", container = "redis:7", ports = ["16379:6379"], env = { A = "b" } },'
        '{ name = "s3", wheel = "moto[server]==5.2.0", command = ["moto_server", "-p5000"] }'
    )
    assert (command.command, command.host_ports, command.healthy is not None) == (
        "postgres -D {data}",
        (5432,),
        True,
    )
    assert (container.ports, container.host_ports, container.env) == (("16379:6379",), (16379,), {"A": "b"})
    assert (wheel.wheel, wheel.command) == (("moto[server]==5.2.0",), ("moto_server", "-p5000"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{ name = "db" }', "`needs` item 1 needs `command` or `container`"),
        ('{ command = "x" }', '`needs` item 1 has no `name`, such as `name = "db"`'),
        ('{ name = "db", wheel = "moto" }', "`needs` item 1 needs `command` or `container`"),
        (
            '{ name = "db", wheel = "moto", container = "x" }',
            "`needs` item 1 has `wheel`, which needs the `command` to start",
        ),
        (
            '{ name = "db", comand = "x" }',
            "unknown key `comand` in `needs` item 1; did you mean `command`?",
        ),
        (
            '{ name = "db", command = "x", healthy = { htp = "http://127.0.0.1/" } }',
            "unknown key `htp` in `needs` item 1: `healthy`; did you mean `http`?",
        ),
        (
            '{ name = "db", command = "x", healthy = { http = "{output.url}" } }',
            "`needs` item 1: `healthy` has a placeholder, but dependencies start before there are outputs",
        ),
        (
            '{ name = "db", command = "x", ports = [70000] }',
            (
                '`needs` item 1: `ports` item 1 must be a port such as 5432, or two such as "15432:5432": on this machine, and '
                "in the container"
            ),
        ),
        (
            '{ name = "db", command = "x", env = { A = 1 } }',
            "`needs` item 1: `env` must hold variables with strings, which `A` is not",
        ),
        (
            '{ name = "db", command = "x", wheel = "-e ." }',
            '`needs` item 1: `wheel` item 1 must be a package such as "moto[server]==5.2.0"',
        ),
        (
            '{ name = "db", container = "--privileged" }',
            '`needs` item 1: `container` must be an image such as "postgres:16"',
        ),
        (
            '{ name = "db", command = "x" }, { name = "db", command = "y" }',
            "two dependencies are called `db`",
        ),
        (
            '{ name = "a", command = "x", ports = [1] }, { name = "b", command = "y", ports = ["1:2"] }',
            "two dependencies use port `1`",
        ),
    ],
)
def test_what_is_not_valid(text: str, told: str) -> None:
    assert problem(text) == told


def test_only_local_environments_have_dependencies() -> None:
    table = STACK.replace("[env.dev]", "[env.prod]")
    assert problem('{ name = "db", command = "x" }', table) == (
        "`needs` starts dependencies on people's own machines, so it needs `local = true`"
    )


def test_without_dependencies_the_digest_is_as_before() -> None:
    plain = parse_policy(STACK, "policy")
    assert plain.digest("infra", "dev") != parse_policy(
        f'{STACK}needs = [{{ name = "db", command = "x" }}]\n', "policy"
    ).digest("infra", "dev")
    assert plain.digest("infra", "dev") == parse_policy(f"{STACK}needs = []\n", "policy").digest(
        "infra", "dev"
    )
