"""Exports: from a request or a due time, through preview and approval, to data that replaces an environment's.

Start at `request` (what people ask for), `schedule` (what the clock asks for) and `execute` (what a worker does)."""

from bot.services.exports.cancel import cancel_export
from bot.services.exports.check import EXPORT_CHECK, check_pull
from bot.services.exports.decisions import answer_export
from bot.services.exports.execute import execute_export
from bot.services.exports.failures import end_failed_export
from bot.services.exports.instance_data import load_instance_data
from bot.services.exports.policies import ExportSettings, default_settings
from bot.services.exports.request import ACTIONS, ExportRequest, newest_export, request_export
from bot.services.exports.schedule import schedule_exports
from bot.services.exports.view import export_history, export_view

__all__ = [
    "ACTIONS",
    "EXPORT_CHECK",
    "ExportRequest",
    "ExportSettings",
    "answer_export",
    "cancel_export",
    "check_pull",
    "default_settings",
    "end_failed_export",
    "execute_export",
    "export_history",
    "export_view",
    "load_instance_data",
    "newest_export",
    "request_export",
    "schedule_exports",
]
