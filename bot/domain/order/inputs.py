"""An input of a stack: an output of a stack that it comes after, as a variable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """variable: the Terraform variable that gets it. stack, output: whose output it is."""

    variable: str
    stack: str
    output: str
