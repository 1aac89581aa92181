"""HTTP and TCP checks against real servers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.smoke import Checker
from bot.smoke.http import MAX_BODY
from tests.integration.smoke.servers import free_port, http, saying


def smoke(subject: str, **more: Any) -> Smoke:
    """Tried once, unless a test says otherwise."""
    kind = more.pop("kind", "http")
    return Smoke(
        "healthz",
        kind,
        subject,
        **{"within": 20.0, "every": 0.05 if "within" in more else 20.0, "timeout": 10.0, **more},
    )


def test_an_address_that_answers(checker: Checker, around: Surroundings) -> None:
    with http(saying(200, b"all is well")) as address:
        found = checker.check(smoke(f"{address}/healthz", contains="is well"), around)
    assert (found.ok, found.message, found.tries) == (True, f"GET {address}/healthz returned 200", 1)
    assert found.name == "healthz"


def test_a_wrong_status(checker: Checker, around: Surroundings) -> None:
    with http(saying(503)) as address:
        found = checker.check(smoke(address), around)
        assert (found.ok, found.message) == (False, f"GET {address} returned 503, expected 200")
        several = checker.check(smoke(address, statuses=(200, 204)), around)
        assert several.message == f"GET {address} returned 503, expected 200 or 204"
        assert checker.check(smoke(address, statuses=(200, 503)), around).ok


def test_a_missing_text(checker: Checker, around: Surroundings) -> None:
    with http(saying(200, b"maintenance")) as address:
        found = checker.check(smoke(address, contains="ready"), around)
    assert (found.ok, found.message) == (False, f'GET {address} returned 200 without "ready" in its body')


def test_one_that_comes_up_late(checker: Checker, around: Surroundings) -> None:
    port, lines = free_port(), list[str]()
    begun, up = threading.Event(), threading.Event()

    def tried(line: str) -> None:
        lines.append(line)
        begun.set()

    def serve() -> None:
        begun.wait(20)
        with http(saying(200), port=port):
            up.wait(20)

    thread = threading.Thread(target=serve)
    thread.start()
    found = checker.check(smoke(f"http://127.0.0.1:{port}", within=20), around, on_try=tried)
    up.set()
    thread.join()
    assert found.ok
    assert found.tries == len(lines) > 1
    assert lines[0] == f"healthz, try 1: GET http://127.0.0.1:{port}: connection refused"
    assert lines[-1].endswith("returned 200")


def test_it_is_tried_until_its_time_is_over(checker: Checker, around: Surroundings) -> None:
    with http(saying(500)) as address:
        found = checker.check(smoke(address, within=0.5, every=0.1), around)
    assert not found.ok
    assert 2 <= found.tries <= 5


def test_one_that_hangs(checker: Checker, around: Surroundings) -> None:
    release = threading.Event()
    with http(lambda _handler: release.wait(20) and None) as address:
        try:
            found = checker.check(smoke(address, timeout=0.2), around)
        finally:
            release.set()
    assert (found.ok, found.message) == (False, f"GET {address}: no answer within 0.2 s")


def test_one_that_dribbles_is_held_to_its_time(checker: Checker, around: Surroundings) -> None:
    """Each byte comes in time, the answer never does."""
    release = threading.Event()

    def dribble(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not release.wait(0.02):
            handler.wfile.write(b".")

    with http(dribble) as address:
        try:
            found = checker.check(smoke(address, contains="ready", timeout=0.3), around)
        finally:
            release.set()
    assert not found.ok
    assert "no answer within 0.3 s" in found.message


def test_whoever_cancels_is_heard_while_it_hangs(checker: Checker, around: Surroundings) -> None:
    release = threading.Event()
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with http(lambda _handler: release.wait(60) and None) as address:
        try:
            found = checker.check(smoke(address, within=50, timeout=50), around, cancelled=cancelled)
        finally:
            release.set()
    assert (found.ok, found.message) == (False, "cancelled")


def test_whoever_cancels_is_heard_between_two_tries(checker: Checker, around: Surroundings) -> None:
    tried: list[str] = []
    with http(saying(503)) as address:
        found = checker.check(
            smoke(address, within=100, every=50),
            around,
            cancelled=lambda: bool(tried),
            on_try=tried.append,
        )
    assert (found.message, found.tries) == ("cancelled", 1)


def test_a_huge_body_is_read_no_further_than_a_megabyte(checker: Checker, around: Surroundings) -> None:
    sent = 0

    def flood(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        block = b"x" * (1 << 16)
        while sent < 64 * MAX_BODY:
            handler.wfile.write(block)
            sent += len(block)

    with http(flood) as address:
        found = checker.check(smoke(address, contains="ready"), around)
    assert found.message == f'GET {address} returned 200 without "ready" in its body'
    assert sent < 32 * MAX_BODY, "the rest was never fetched"


def test_a_text_behind_the_first_megabyte_does_not_count(checker: Checker, around: Surroundings) -> None:
    for before, well in ((MAX_BODY - 5, True), (MAX_BODY, False)):
        with http(saying(200, b"x" * before + b"ready")) as address:
            assert checker.check(smoke(address, contains="ready"), around).ok is well


def test_redirects_are_followed_within_their_scheme(checker: Checker, around: Surroundings) -> None:
    with http(saying(200, b"here")) as there, http(saying(302, location=f"{there}/new")) as address:
        found = checker.check(smoke(address, contains="here"), around)
        assert (found.ok, found.message) == (True, f"GET {there}/new returned 200")
        assert checker.check(smoke(address, statuses=(302,)), around).message == f"GET {address} returned 302"


@pytest.mark.parametrize("location", ["https://127.0.0.1:1/", "file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_a_failure(
    checker: Checker, around: Surroundings, location: str
) -> None:
    with http(saying(301, location=location)) as address:
        found = checker.check(smoke(address), around)
    assert not found.ok
    assert found.message.startswith(f"GET {address} redirects to {location.partition(':')[0]}:")
    assert "another scheme" in found.message


def test_redirects_in_a_circle(checker: Checker, around: Surroundings) -> None:
    with http(saying(302, location="/again")) as address:
        found = checker.check(smoke(address), around)
    assert found.message == f"GET {address} was redirected more than 5 times"


def test_a_certificate_that_nobody_trusts(checker: Checker, around: Surroundings, tmp_path: Path) -> None:
    with http(saying(200), tls=_self_signed(tmp_path)) as address:
        found = checker.check(smoke(address), around)
    assert not found.ok
    assert found.message.startswith(f"GET {address}: its certificate is not trusted (self")


@pytest.mark.parametrize(
    "subject", ["", "/healthz", "ftp://host/x", "http://", "http://[::1", "http://a b/\n"]
)
def test_what_is_no_address(checker: Checker, around: Surroundings, subject: str) -> None:
    found = checker.check(smoke(subject), around)
    assert not found.ok
    assert "is not an http:// or https:// URL" in found.message or "no such host" in found.message


def test_a_secret_in_an_address_is_not_told(checker: Checker) -> None:
    lines: list[str] = []
    with http(saying(503)) as address:
        around = Surroundings(Path("unused"), hidden=("tok-12345",))
        found = checker.check(smoke(f"{address}/?t=tok-12345"), around, on_try=lines.append)
    assert "tok-12345" not in found.message + "".join(lines)
    assert "***" in found.message


# ports


def tcp(checker: Checker, around: Surroundings, subject: str, **more: Any) -> SmokeResult:
    return checker.check(smoke(subject, kind="tcp", **more), around)


@contextmanager
def listening(family: int = socket.AF_INET, host: str = "127.0.0.1") -> Iterator[int]:
    with socket.socket(family) as one:
        one.bind((host, 0))
        one.listen()
        yield one.getsockname()[1]


def test_a_port_that_takes_connections(checker: Checker, around: Surroundings) -> None:
    with listening() as port:
        found = tcp(checker, around, f"127.0.0.1:{port}")
    assert (found.ok, found.message) == (True, f"127.0.0.1:{port} accepts connections")


def test_a_port_of_an_ipv6_address(checker: Checker, around: Surroundings) -> None:
    try:
        with listening(socket.AF_INET6, "::1") as port:
            assert tcp(checker, around, f"[::1]:{port}").ok
    except OSError:
        assert not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists()


def test_a_port_that_refuses(checker: Checker, around: Surroundings) -> None:
    port = free_port()
    found = tcp(checker, around, f"127.0.0.1:{port}")
    assert (found.ok, found.message) == (False, f"no connection to 127.0.0.1:{port}: refused")


@pytest.mark.parametrize("subject", ["db", "db:", ":5432", "db:x", "db:0", "db:65536", "db:²"])
def test_what_is_no_port(checker: Checker, around: Surroundings, subject: str) -> None:
    assert "is not a host and port" in tcp(checker, around, subject).message


def _self_signed(directory: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
