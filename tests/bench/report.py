"""What a benchmark found, beside what is allowed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` and `most` in `unit`; `detail` says what it is made of."""

    name: str
    database: str
    value: float
    most: float
    unit: str
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.value <= self.most

    def line(self) -> str:
        sign = "✓" if self.ok else "✗"
        return f"{sign} {self.name:<28} {self.database:<10} {self.value:>8.2f} {self.unit:<6} (most {self.most:g})  {self.detail}"
