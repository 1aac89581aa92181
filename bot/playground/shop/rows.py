"""The shop's rows: the same for the same seed, around the same moment."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

Row = tuple[object, ...]

_FIRST = [
    "Ada",
    "Ben",
    "Cleo",
    "Dora",
    "Emil",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jana",
    "Karl",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
    "Ravi",
    "Sofia",
    "Tom",
    "Uma",
    "Vera",
    "Yusuf",
    "Zoe",
]
_LAST = [
    "Abel",
    "Brandt",
    "Costa",
    "Dietz",
    "Evans",
    "Frank",
    "Gruber",
    "Haas",
    "Ito",
    "Jensen",
    "Keller",
    "Lang",
    "Moreau",
    "Novak",
    "Ortiz",
    "Peters",
    "Rossi",
    "Weber",
]
_STREETS = [
    "Mill Lane",
    "High Street",
    "Station Road",
    "Park Avenue",
    "Church Way",
    "Harbour Street",
    "Oak Road",
]
_CITIES = (
    ("Berlin", "DE"),
    ("Hamburg", "DE"),
    ("Vienna", "AT"),
    ("Lyon", "FR"),
    ("Porto", "PT"),
    ("Leeds", "GB"),
)
_THINGS = ["Lamp", "Chair", "Desk", "Kettle", "Blanket", "Vase", "Shelf", "Mirror", "Clock", "Basket"]
_MATERIALS = ["oak", "steel", "wool", "linen", "glass", "cork"]
_CATEGORIES = (
    (1, None, "Home"),
    (2, 1, "Furniture"),
    (3, 1, "Kitchen"),
    (4, 2, "Desks"),
    (5, 2, "Chairs"),
    (6, 3, "Tea"),
)
_DEPARTMENTS = ("Support", "Warehouse", "Accounts", "Web shop")
_EMPLOYEES, _PRODUCTS = 40, 300


@dataclass
class Shop:
    """Its rows, table by table. people: how many customers. domain: of their e-mail addresses. until: the newest moment, UTC."""

    people: int
    domain: str
    until: datetime
    seed: int = 2026
    _placed: list[tuple[int, int, datetime]] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, str, list[Row]]]:
        """Yield each table with its columns and rows, in an order that foreign keys accept within one transaction."""
        chance = random.Random(self.seed)  # noqa: S311 - rows that are the same each time, not secrets
        heads = [(n, name, n) for n, name in enumerate(_DEPARTMENTS, 1)]
        yield "hr.departments", "id, name, head_id", list(heads)
        yield "hr.employees", "id, department_id, manager_id, name, email, salary", self._employees(chance)
        yield "categories", "id, parent_id, name", list(_CATEGORIES)
        yield "products", "id, category_id, sku, name, price, attributes", self._products(chance)
        people = "id, email, name, phone, born, tags, preferences, referred_by, created_at"
        yield "customers", people, [self._customer(chance, n) for n in range(1, self.people + 1)]
        addresses = [self._address(chance, n) for n in range(1, self.people + 1)]
        yield "addresses", "id, customer_id, street, city, country", addresses
        yield "orders", "id, customer_id, address_id, status, placed_at, note", self._orders(chance)
        items = [line for order, _, _ in self._placed for line in self._items(chance, order)]
        yield "order_items", "order_id, line, product_id, quantity, price", items
        yield "payments", "id, paid_at, order_id, iban, amount", self._payments(chance)
        tickets = [self._ticket(chance, n) for n in range(1, self.people // 3)]
        yield "support_tickets", "id, customer_id, employee_id, subject, body, opened_at", tickets
        events = [self._event(chance) for _ in range(self.people * 4)]
        yield "events", "id, customer_id, kind, ip, payload, at", events
        resets = [
            (f"{chance.getrandbits(128):032x}", self._person(chance), self.until)
            for _ in range(self.people // 50)
        ]
        yield "password_resets", "token, customer_id, expires_at", list(resets)

    def _person(self, chance: random.Random) -> int:
        return chance.randint(1, self.people)

    def _ago(self, chance: random.Random, days: int) -> datetime:
        return self.until - timedelta(minutes=chance.randint(0, days * 24 * 60))

    def _employees(self, chance: random.Random) -> list[Row]:
        """The first ones are the heads of the departments, the very first is everybody's manager in the end."""
        few = len(_DEPARTMENTS)
        return [
            (
                n,
                (n - 1) % few + 1,
                None if n == 1 else 1 if n <= few else (n - 1) % few + 1,
                _name(chance),
                f"employee{n}@{self.domain}",
                chance.randint(30_000, 90_000),
            )
            for n in range(1, _EMPLOYEES + 1)
        ]

    def _products(self, chance: random.Random) -> list[Row]:
        return [
            (
                n,
                chance.choice(_CATEGORIES)[0],
                f"SKU-{n:05d}",
                f"{chance.choice(_MATERIALS).capitalize()} {chance.choice(_THINGS).lower()}",
                chance.randint(500, 50_000) / 100,
                json.dumps(
                    {
                        "weight": chance.randint(100, 9000),
                        "colours": chance.sample(["red", "blue", "grey"], 2),
                    }
                ),
            )
            for n in range(1, _PRODUCTS + 1)
        ]

    def _customer(self, chance: random.Random, n: int) -> Row:
        name = _name(chance)
        return (
            n,
            f"{name.lower().replace(' ', '.')}.{n}@{self.domain}",
            name,
            f"+49 30 {chance.randint(1_000_000, 9_999_999)}" if chance.random() < 0.8 else None,
            self.until.date() - timedelta(days=chance.randint(18 * 365, 80 * 365)),
            chance.sample(["newsletter", "business", "voucher"], chance.randint(0, 2)),
            json.dumps({"language": chance.choice(["de", "en", "fr"]), "dark": chance.random() < 0.5}),
            chance.randint(1, n - 1) if n > 1 and chance.random() < 0.2 else None,
            self._ago(chance, 720),
        )

    def _address(self, chance: random.Random, n: int) -> Row:
        city, country = chance.choice(_CITIES)
        return n, n, f"{chance.randint(1, 200)} {chance.choice(_STREETS)}", city, country

    def _orders(self, chance: random.Random) -> list[Row]:
        rows: list[Row] = []
        for n in range(1, self.people * 3 + 1):
            customer, at = self._person(chance), self._ago(chance, 700)
            self._placed.append((n, customer, at))
            status = chance.choice(("placed", "paid", "shipped", "shipped", "returned"))
            note = f"Please ring at {_name(chance)}'s" if chance.random() < 0.1 else None
            rows.append((n, customer, customer, status, at, note))
        return rows

    def _items(self, chance: random.Random, order: int) -> list[Row]:
        return [
            (
                order,
                line,
                chance.randint(1, _PRODUCTS),
                chance.randint(1, 4),
                chance.randint(500, 50_000) / 100,
            )
            for line in range(1, chance.randint(1, 4) + 1)
        ]

    def _payments(self, chance: random.Random) -> list[Row]:
        return [
            (n, at, order, f"DE{chance.randint(10**19, 10**20 - 1)}", chance.randint(500, 90_000) / 100)
            for n, (order, _, at) in enumerate(self._placed, 1)
            if chance.random() < 0.9
        ]

    def _ticket(self, chance: random.Random, n: int) -> Row:
        body = f"Hello, this is {_name(chance)}, phone +49 30 {chance.randint(10**6, 10**7)}. My parcel has not arrived."
        who = chance.randint(1, _EMPLOYEES) if chance.random() < 0.9 else None
        return n, self._person(chance), who, "Where is my parcel?", body, self._ago(chance, 700)

    def _event(self, chance: random.Random) -> Row:
        """A few are of visitors who are no customers (any more)."""
        who = self._person(chance) if chance.random() < 0.9 else None
        kind = chance.choice(("view", "view", "search", "basket"))
        address = f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
        payload = json.dumps({"product": chance.randint(1, _PRODUCTS)})
        return (
            UUID(int=chance.getrandbits(128), version=4),
            who,
            kind,
            address,
            payload,
            self._ago(chance, 90),
        )


def _name(chance: random.Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
