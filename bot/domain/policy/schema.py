"""Tables inside an environment of the policy file: smoke checks, freeze windows, approvals, break-glass."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain.policy.freeze_windows import Window
from bot.domain.policy.types import (
    Actions,
    Command,
    Count,
    Cron,
    HostAndPort,
    HttpAddress,
    Logins,
    Positive,
    Status,
    Teams,
    VarFiles,
    Zone,
)
from bot.domain.policy.validators import Flag, Text, Wrong


class Table(BaseModel):
    """A table of the file. Unknown keys are errors. `model_fields_set` has the keys that the file gives, which is what
    a plan's digest of the policy covers, so that a new default does not make plans stale."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        validate_by_name=True,  # in code; the loader accepts the file's keys only
        validate_by_alias=True,
    )


class SmokeCheck(Table):
    """A check after an apply: one of `http`, `tcp` and `command`.

    name: what people read. status, contains: what an HTTP response must have. within: how long it is tried; every: the
    time between two attempts; timeout: of one attempt.
    """

    name: Text = ""
    http: HttpAddress = ""
    tcp: HostAndPort = ""
    command: Command = ""
    status: Status = 200
    contains: Text = ""
    within: Positive = timedelta(seconds=60)
    every: Positive = timedelta(seconds=2)
    timeout: Positive = timedelta(seconds=10)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set
        if len(given & {"http", "tcp", "command"}) != 1:
            raise Wrong("needs exactly one of `http`, `tcp` and `command`")
        for key in ("status", "contains"):
            if key in given and not self.http:
                raise Wrong(f"has `{key}`, which only works with `http`")
        return self

    @property
    def kind(self) -> Literal["http", "tcp", "command"]:
        return "http" if self.http else "tcp" if self.tcp else "command"

    @property
    def statuses(self) -> tuple[int, ...]:
        return self.status if isinstance(self.status, tuple) else (self.status,)


class FreezeRule(Table):
    """A freeze window as the file has it: `deny` or `allow`, and for how long."""

    deny: Cron = ""
    allow: Cron = ""
    length: Annotated[Positive, Field(alias="for")]
    time_zone: Zone = "UTC"
    actions: Actions = ("apply",)
    reason: Text = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set & {"deny", "allow"}) != 1:
            raise Wrong("needs exactly one of `deny` and `allow`")
        return self

    @property
    def window(self) -> Window:
        kind: Literal["deny", "allow"] = "deny" if self.deny else "allow"
        return Window(kind, self.deny or self.allow, self.length, self.time_zone, self.reason, self.actions)


class ApprovalRules(Table):
    """Which approvals an apply needs.

    count: approvals by different people. teams, users: whose approvals count (`acme/platform`, `ann`); where none are
    named, those of anyone with the write role. codeowners: also one owner of each changed path that has owners.
    self_approval: whether the requester and the commits' authors may approve. expires: how long people have.
    """

    count: Count = 1
    codeowners: Flag = False
    teams: Teams = ()
    users: Logins = ()
    self_approval: Annotated[Flag, Field(alias="self")] = False
    expires: Positive = timedelta(hours=24)

    @property
    def given(self) -> bool:
        """Whether the file sets anything. An empty table means the same as none."""
        return bool(self.model_fields_set)


class Sleep(Table):
    """When an instance that nobody uses falls asleep, and how.

    after: how long nobody may have used it; None: only on request. What sleeping means, since Terraform cannot pause
    anything, is either var_files, which Terraform gets too while it sleeps (fewer machines, or none), or command, which
    switches off what is there, with wake_command, which switches it on again.
    """

    after: Positive | None = None
    var_files: VarFiles = ()
    command: Command = ""
    wake_command: Command = ""

    @model_validator(mode="after")
    def _overlay(self) -> Self:
        if self.var_files and (self.command or self.wake_command):
            raise Wrong("needs either `var_files` or `command`, not both")
        if self.wake_command and not self.command:
            raise Wrong("has `wake_command`, which takes back what `command` did; add `command`")
        if self.command and not self.wake_command:
            raise Wrong("has `command` but no `wake_command`, which takes it back")
        if self.model_fields_set and not self:
            raise Wrong(
                'needs `var_files`, such as `["envs/asleep.tfvars"]`, or `command` and `wake_command`, which say what '
                "sleeping means"
            )
        return self

    def __bool__(self) -> bool:
        """Whether instances can sleep."""
        return bool(self.var_files or self.command)


class Force(Table):
    """Who may force an apply (break-glass). Nobody, where no team or user is named."""

    teams: Teams = ()
    users: Logins = ()

    def __bool__(self) -> bool:
        """Whether anybody may."""
        return bool(self.teams or self.users)
