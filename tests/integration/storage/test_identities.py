from __future__ import annotations

from bot.domain.ports.store import Code, Identity
from bot.storage.database import Database
from tests.integration.storage.samples import MINUTE, NOW, at_once


def test_links(store: Database) -> None:
    with store.begin() as tables:
        people = tables.identities
        assert people.login("T1/U1") == people.slack("ann") == ""
        people.link(Identity("T1/U1", "Ann", NOW, "code"))
        people.link(Identity("T2/U9", "ann", NOW + MINUTE, "code"))
        assert (people.login("T1/U1"), people.slack("ANN")) == ("Ann", "T2/U9")
        people.link(Identity("T2/U9", "bob", NOW, "email"))
        assert (people.login("T2/U9"), people.slack("ann")) == ("bob", "T1/U1")


def test_a_code_works_once(store: Database) -> None:
    code = Code("d1", "slack", "T1/U1", NOW + MINUTE)
    with store.begin() as tables:
        tables.identities.offer(code)
        tables.identities.offer(Code("d2", "github", "ann", NOW))
        assert tables.identities.redeem("d2", NOW) is None
        assert tables.identities.redeem("d3", NOW) is None

    def redeem(_number: int) -> Code | None:
        with store.begin() as tables:
            return tables.identities.redeem("d1", NOW)

    results = at_once(6, redeem)
    assert results.count(code) == 1
    assert results.count(None) == 5


def test_a_code_is_claimed_by_one_login(store: Database) -> None:
    with store.begin() as tables:
        tables.identities.offer(Code("d1", "slack", "T1/U1", NOW + MINUTE))
        tables.identities.offer(Code("d2", "slack", "T1/U1", NOW))
        assert tables.identities.claim("d2", "ann", "c", NOW) is None
        assert tables.identities.claim("d3", "ann", "c", NOW) is None

    def claim(number: int) -> Code | None:
        with store.begin() as tables:
            return tables.identities.claim("d1", f"login-{number}", f"comment-{number}", NOW)

    results = at_once(6, claim)
    assert len({(one.login, one.asked) for one in results if one}) == 1
    assert None not in results


def test_an_ended_link(store: Database) -> None:
    with store.begin() as tables:
        people = tables.identities
        people.link(Identity("T1/U1", "Ann", NOW, "code"))
        people.link(Identity("T1/U2", "ann", NOW + MINUTE, "code"))
        people.link(Identity("T1/U3", "bob", NOW, "code"))
        people.offer(Code("d1", "slack", "T1/U1", NOW + MINUTE))
        assert people.linked_to("ANN") == ["T1/U1", "T1/U2"]
        people.unlink("T1/U1")
        assert (people.linked_to("ann"), people.login("T1/U1")) == (["T1/U2"], "")
        assert people.redeem("d1", NOW) is None


def test_a_channel_remembers_its_repository(store: Database) -> None:
    with store.begin() as tables:
        assert tables.identities.channel_repository("C1") == ""
        tables.identities.remember_channel("C1", "acme/infra")
        tables.identities.remember_channel("C1", "acme/other")
        assert tables.identities.channel_repository("C1") == "acme/other"
