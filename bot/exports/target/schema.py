"""Restore the schema: what comes before the rows, what comes after them, and the rights."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bot.errors import TransientError, UserError
from bot.exports.postgres_tools import ToolFailed, run_tool

_NEVER = (
    "SUBSCRIPTION",  # it would replicate into staging
    "PUBLICATION",
    "USER MAPPING",  # it has a password
)
"""Kinds of entries that are not restored."""
_OWNERS_ONLY = ("COMMENT - EXTENSION", "SCHEMA - public", "COMMENT - SCHEMA public", "ACL - SCHEMA public")
"""Entries that only a superuser may restore, and that a new database has already. The rights on the schema `public` are restored
with the rights."""
_ENTRY = re.compile(r"^\d+; \d+ \d+ (.*)$", re.MULTILINE)
_NO_ROLE = re.compile(r'role "([^"]+)" does not exist')
_ERROR = re.compile(r"error: could not execute query: ERROR:\s*(.*)")
_MOST_JOBS = 2
"""Indexes and foreign keys that are made at once."""


class SchemaDump:
    """A schema in pg_dump's custom format. url: of the database that it is restored into. role: who is to own everything."""

    def __init__(self, dump: bytes, url: str, version: int, role: str, directory: Path) -> None:
        self._url, self._version, self._role = url, version, role
        self._file = Path(tempfile.mkstemp(dir=directory, suffix=".dump")[1])
        self._file.write_bytes(dump)
        listed = run_tool("pg_restore", version, "", ["--list", str(self._file)]).decode()
        self._entries = [line for line in listed.splitlines() if _ENTRY.match(line)]

    def close(self) -> None:
        self._file.unlink(missing_ok=True)

    def before_rows(self) -> None:
        """Restore types, tables and functions, all or nothing."""
        self._restore("pre-data", ["--single-transaction", "--no-privileges", "--exit-on-error"])

    def after_rows(self) -> None:
        """Restore indexes, constraints and triggers. Adding the foreign keys proves that no parent is missing."""
        self._restore("post-data", [f"--jobs={_MOST_JOBS}", "--no-privileges", "--exit-on-error"])

    def rights(self) -> tuple[str, ...]:
        """Restore the rights; return a sentence for each role that the target lacks."""
        wanted = [line for line in self._entries if re.match(r"\d+; \d+ \d+ (DEFAULT )?ACL ", line)]
        if not wanted:
            return ()
        try:
            self._run(wanted, [])
        except ToolFailed as error:
            told = _ERROR.findall(str(error))
            missing = {found[1] for line in told if (found := _NO_ROLE.search(line))}
            if any(not _NO_ROLE.search(line) for line in told) or not told:
                raise _refused(error) from error
            names = ", ".join(f"`{name}`" for name in sorted(missing))
            return (f"Rights of {names} were not restored: the target has no such role.",)
        return ()

    def _restore(self, section: str, options: list[str]) -> None:
        wanted = [line for line in self._entries if not _left_out(line)]
        try:
            self._run(wanted, [f"--section={section}", *options])
        except ToolFailed as error:
            raise _refused(error) from error

    def _run(self, entries: list[str], options: list[str]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".list", dir=self._file.parent) as listed:
            listed.write("\n".join(entries) + "\n")
            listed.flush()
            role = [f"--role={self._role}"] if self._role else []
            arguments = [*options, "--no-owner", *role, f"--use-list={listed.name}"]
            run_tool("pg_restore", self._version, self._url, [*arguments, "--dbname=", str(self._file)])


def _left_out(line: str) -> bool:
    found = _ENTRY.match(line)
    entry = found[1] if found else ""
    return entry.startswith((*_NEVER, *_OWNERS_ONLY, "ACL ", "DEFAULT ACL "))


def _refused(error: ToolFailed) -> Exception:
    text = str(error)
    if re.search(r"(server closed the connection|could not connect|terminating connection)", text):
        return TransientError(f"the target ended the connection while its schema was restored: {text}")
    told = _ERROR.findall(text)
    said = told[0] if told else text
    return UserError(
        f"The target refused a part of the schema: {said.strip()[:300]}",
        next_step="Correct that, then run the export again; the live database was not touched.",
    )
