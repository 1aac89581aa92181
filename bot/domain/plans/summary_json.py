"""The JSON forms of plan summaries, as they are stored with plans and drift reports.

Keys are only ever added: rows of earlier versions lack the newer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class AttributeChangeJson(TypedDict, total=False):
    """An AttributeChange as JSON."""

    path: str
    before: str
    after: str
    forces_replacement: bool
    detail: Sequence[str]
    omitted: int


class ResourceChangeJson(TypedDict, total=False):
    """A ResourceChange as JSON."""

    address: str
    type: str
    action: str
    attributes: Sequence[AttributeChangeJson]
    reason: str
    previous_address: str
    import_id: str
    create_first: bool
    module: str


class ClassifiedChangeJson(TypedDict, total=False):
    """A ClassifiedChange of a revert as JSON."""

    kind: str
    address: str
    previous_address: str


class PlanSummaryJson(TypedDict, total=False):
    """A PlanSummary as JSON, with what the plan of a revert adds to it.

    classes: what each action costs. warnings: sentences for people. forward: the release reverted to contains the
    reverted commit, as when a revert is reverted. providers: sources of the providers that were installed for the plan,
    also for modules that were downloaded.
    """

    add: int
    change: int
    destroy: int
    replace: int
    imports: int
    move: int
    forget: int
    changes: Sequence[ResourceChangeJson]
    drift: Sequence[ResourceChangeJson]
    outputs: Sequence[AttributeChangeJson]
    terraform_version: str
    pages: int
    classes: Sequence[ClassifiedChangeJson]
    warnings: Sequence[str]
    forward: bool
    providers: Sequence[str]


class DriftSummary(PlanSummaryJson, total=False):
    """What a drift check found: `drift` is what changed outside Terraform, `changes` what an apply would change.

    ignored: what changed outside and no plan acts on. restless: values that differed between the two refreshes of one check. wavering: values that differed between checks.
    """

    ignored: Sequence[ResourceChangeJson]
    restless: Sequence[str]
    wavering: Sequence[str]
