"""What each step does: the parts of an export, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.domain.exports import DatabaseSchema, Manifest, Preview
from bot.domain.ports.exports import ExportControl
from bot.exports import extraction, source, target
from bot.exports.files import Files, open_files
from bot.exports.worker.messages import Order, StepName

T = TypeVar("T")


def _files(order: Order) -> Files:
    return open_files(order.files, order.job.secrets.sealing_key)


def _given(value: T | None) -> T:
    if value is None:
        raise TypeError("the order lacks what its step needs")
    return value


def _inspect(order: Order, control: ExportControl) -> DatabaseSchema:
    return source.inspect(order.job, control)


def _preview(order: Order, control: ExportControl) -> Preview:
    with source.open_source(order.job, control) as opened:
        return source.preview(opened, order.job.policy, control)


def _extract(order: Order, control: ExportControl) -> Manifest:
    with source.open_source(order.job, control) as opened:
        return extraction.extract(order.job, _given(order.preview), opened, _files(order), control)


def _load(order: Order, control: ExportControl) -> tuple[str, ...]:
    return target.load(order.job, _given(order.manifest), _files(order), control)


def _swap(order: Order, control: ExportControl) -> str:
    return target.swap(order.job, _given(order.manifest), control)


def _roll_back(order: Order, control: ExportControl) -> str:
    return target.roll_back(order.job, control)


def _clean(order: Order, _control: ExportControl) -> None:
    target.clean(order.job, order.keep, _files(order))


def _load_instance(order: Order, control: ExportControl) -> None:
    target.load_instance(order.job, _given(order.manifest), _files(order), order.tables, control)


STEPS: dict[StepName, Callable[[Order, ExportControl], object]] = {
    "inspect": _inspect,
    "preview": _preview,
    "extract": _extract,
    "load": _load,
    "swap": _swap,
    "roll_back": _roll_back,
    "clean": _clean,
    "load_instance": _load_instance,
}
