"""Exports: a masked part of one environment's data, on a schedule, that replaces another's. Pure rules and values.

Start at `policy` (what a team declares), `schema` (what a database has) and `model` (one export)."""

from bot.domain.exports.added_columns import AddedColumn, MigrationFile, Migrations, UnreadStatement
from bot.domain.exports.approval import (
    EXPIRES,
    ExportAnswer,
    ExportDecision,
    eligible_people,
    missing_approval,
    needs_approval,
    refuse_answer,
)
from bot.domain.exports.classification import check_policy, require_valid
from bot.domain.exports.loader import parse_export_policies
from bot.domain.exports.manifest import Manifest, Part, Preview, Sequence, TableCount, TableFiles
from bot.domain.exports.masks import INTEGERS, TEXTS
from bot.domain.exports.migration_check import (
    PullCheck,
    check_migrations,
    migration_paths,
    read_migrations,
)
from bot.domain.exports.model import (
    RUNNING,
    Export,
    ExportKind,
    ExportOutcome,
    ExportPhase,
    Progress,
)
from bot.domain.exports.names import parse_table, written
from bot.domain.exports.policy import (
    PATH,
    ColumnRule,
    Edge,
    ExportPolicies,
    ExportPolicy,
    Limits,
    MaskName,
    PreviewData,
    Retention,
    Root,
    TablePolicy,
    VirtualKey,
)
from bot.domain.exports.problem import Problem, suggested_lines, told
from bot.domain.exports.schedule import LATE, due_between, next_due
from bot.domain.exports.schema import (
    Column,
    DatabaseSchema,
    ForeignKey,
    Table,
    TableKind,
    TableName,
    UniqueKey,
)
from bot.domain.exports.suggest import suggest_rule
from bot.domain.exports.toml import column_line, first_policy, table_header
from bot.domain.exports.view import ExportHistory, ExportView

__all__ = [
    "EXPIRES",
    "INTEGERS",
    "LATE",
    "PATH",
    "RUNNING",
    "TEXTS",
    "AddedColumn",
    "Column",
    "ColumnRule",
    "DatabaseSchema",
    "Edge",
    "Export",
    "ExportAnswer",
    "ExportDecision",
    "ExportHistory",
    "ExportKind",
    "ExportOutcome",
    "ExportPhase",
    "ExportPolicies",
    "ExportPolicy",
    "ExportView",
    "ForeignKey",
    "Limits",
    "Manifest",
    "MaskName",
    "MigrationFile",
    "Migrations",
    "Part",
    "Preview",
    "PreviewData",
    "Problem",
    "Progress",
    "PullCheck",
    "Retention",
    "Root",
    "Sequence",
    "Table",
    "TableCount",
    "TableFiles",
    "TableKind",
    "TableName",
    "TablePolicy",
    "UniqueKey",
    "UnreadStatement",
    "VirtualKey",
    "check_migrations",
    "check_policy",
    "column_line",
    "due_between",
    "eligible_people",
    "first_policy",
    "migration_paths",
    "missing_approval",
    "needs_approval",
    "next_due",
    "parse_export_policies",
    "parse_table",
    "read_migrations",
    "refuse_answer",
    "require_valid",
    "suggest_rule",
    "suggested_lines",
    "table_header",
    "told",
    "written",
]
