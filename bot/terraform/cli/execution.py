"""Run one command of Terraform's and turn its output into a CommandResult."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.ports.terraform import CommandResult, Control
from bot.domain.redaction import Redactor
from bot.sandbox import Access, Sandbox
from bot.terraform.cli.denied import explained
from bot.terraform.cli.located import located
from bot.terraform.cli.output_reader import OutputReader
from bot.terraform.cli.private_dir import private_directory
from bot.terraform.process.call import Call, CallKind


@dataclass
class Execution:
    """One command to run. env: its complete environment, but for HOME and TMPDIR, which are the call's own. access: what it
    may see. top: the repository's top, from which errors name files; None for `cwd`. stdout: what it printed, if its kind
    captures that."""

    kind: CallKind
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    control: Control
    redactor: Redactor
    sandbox: Sandbox
    access: Access
    top: Path | None = None
    stdout: bytearray = field(default_factory=bytearray)

    def run(self) -> CommandResult:
        """Run it to its end."""
        reader = OutputReader(self.control.on_progress, self.redactor)
        with private_directory() as private:
            access = self.access.with_writable(private)
            command = self.sandbox.confine(self.argv, access, self.cwd)
            env = {**self.env, "HOME": str(private / "home"), "TMPDIR": str(private / "tmp")}
            call = Call(self.kind, command, self.cwd, env, self.control, reader.feed, self.stdout)
            exit_ = call.run()
        reader.end()
        for note in exit_.notes:
            reader.add_line(note)
        success = exit_.code in self.kind.success
        return CommandResult(
            exit_code=exit_.code,
            log=reader.log.text,
            interrupted=not success and (exit_.cancelled or reader.interrupted),
            timed_out=not success and exit_.timed_out,
            diagnostics=() if success else self._texts(reader),
            errors=()
            if success
            else located([error for _, error in reader.errors()], self.cwd, self.top or self.cwd),
        )

    def _texts(self, reader: OutputReader) -> tuple[str, ...]:
        found = tuple(text for text, _ in reader.errors())
        return found if self.sandbox.kind == "off" else explained(found)
