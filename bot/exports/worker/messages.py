"""What the bot and the worker of an export send each other."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import Field, TypeAdapter

from bot.domain.exports import (
    DatabaseSchema,
    ExportPhase,
    Manifest,
    Preview,
    Progress,
    TableName,
)
from bot.domain.ports.exports import ExportJob
from bot.exports.files import Location

StepName = Literal["inspect", "preview", "extract", "load", "swap", "roll_back", "clean", "load_instance"]

CANCEL = b"c"
"""Sent by the bot to cancel. The end of the worker's input means that the bot is gone."""
_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Confinement:
    """What the worker confines itself to with Landlock, before it touches anything. ports: that it may connect to."""

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Order:
    """One step of an export. manifest, preview, tables, keep: as the step's method of the port takes them."""

    step: StepName
    job: ExportJob
    files: Location
    confinement: Confinement | None = None
    preview: Preview | None = None
    manifest: Manifest | None = None
    tables: tuple[TableName, ...] = ()
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Advanced:
    """The step's phase, and how far it is."""

    phase: ExportPhase
    progress: Progress
    kind: Literal["advanced"] = "advanced"


@dataclass(frozen=True)
class Returned:
    """The step is done. value: its result as JSON. peak: the largest memory of the worker, in bytes."""

    value: Any = None
    peak: int = 0
    kind: Literal["returned"] = "returned"


@dataclass(frozen=True)
class Ended:
    """The step is not done. reason: what to raise. text: one sentence, or a traceback if the worker failed."""

    reason: Literal["refused", "unavailable", "cancelled", "failed"]
    text: str = ""
    next_step: str = ""
    retry_after: float = 5.0
    kind: Literal["ended"] = field(default="ended")


Message = Annotated[Advanced | Returned | Ended, Field(discriminator="kind")]
MESSAGES: TypeAdapter[Advanced | Returned | Ended] = TypeAdapter(Message)
RESULTS: dict[StepName, TypeAdapter[Any]] = {
    "inspect": TypeAdapter(DatabaseSchema),
    "preview": TypeAdapter(Preview),
    "extract": TypeAdapter(Manifest),
    "load": TypeAdapter(tuple[str, ...]),
    "swap": TypeAdapter(str),
    "roll_back": TypeAdapter(str),
    "clean": TypeAdapter(None),
    "load_instance": TypeAdapter(None),
}
"""Results are JSON: the worker handles hostile data, so the bot does not unpickle what it sends."""


def write_order(pipe: BinaryIO, order: Order) -> None:
    """Send an order. It has secrets, so it goes through the pipe and never onto a command line."""
    data = pickle.dumps(order)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def read_order(pipe: BinaryIO) -> Order:
    """Read an order, which comes from the bot alone. Raises EOFError if the bot is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    order = pickle.loads(pipe.read(_LENGTH.unpack(head)[0]))  # noqa: S301
    if not isinstance(order, Order):
        raise TypeError("not an order")
    return order
