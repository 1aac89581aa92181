"""One Terraform process and its keeper, which lives on when the bot is killed.

A program of its own, with nothing but a few built-in modules: bot.terraform.spawner starts it once, and it forks a
keeper for each order. A keeper's stdin is the control socket: after the order, `interrupt` or the end (the bot died)
sends Terraform exactly one SIGINT, since a second one makes Terraform stop hard; after the grace it is killed.
Terraform's output goes to stdout as it comes; when nobody reads any more, to the file `output` in the journal, so that
Terraform never meets a broken or a full pipe. Journal: `pid` (process id and start time of Terraform, then of its
keeper), `exit` (the exit code; minus the signal).
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time

CHUNK = 65536
PENDING = 1 << 20
"""Bytes that wait for a slow reader before Terraform has to wait as well."""
KEPT = 1 << 20
"""Bytes a file of orphaned output; the last full one is kept beside it, so the end is never lost."""
LINGER = 0.5
"""Seconds to wait for output that a process left behind by Terraform still holds open."""
NEVER = 127
"""Exit code of this program where Terraform was never started: the journal may have had no room to say so."""
LENGTH = 100
"""Bytes of a journal file, filled up with spaces."""
STALLED = 60.0
"""Seconds without a byte taken after which a reader counts as gone, once Terraform has ended."""


class Output:
    """Where Terraform's output goes: to the reader while there is one, else to a bounded file."""

    def __init__(self, journal: str) -> None:
        self.journal = journal
        self.pending = bytearray()
        self.reader = True
        self.file = -1
        self.size = 0
        os.set_blocking(1, False)

    def add(self, data: bytes) -> None:
        if self.reader:
            self.pending += data
            self.flush()
        else:
            self.keep(data)

    def flush(self) -> None:
        try:
            while self.pending:
                written = os.write(1, self.pending[:CHUNK])
                del self.pending[:written]
        except BlockingIOError:
            return
        except OSError:
            self.abandon()

    def abandon(self) -> None:
        """The reader is gone, or too slow for a Terraform that has to stop now."""
        if self.reader:
            self.reader = False
            self.keep(bytes(self.pending))
            self.pending.clear()

    def keep(self, data: bytes) -> None:
        try:
            path = f"{self.journal}/output"
            if self.file < 0 or self.size > KEPT:
                if self.file >= 0:
                    os.close(self.file)
                    rename(path, f"{path}.old")
                self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                self.size = 0
            self.size += os.write(self.file, data)
        except OSError:
            self.size = 0  # a full disk must not end the keeper; the exit code counts more


class Keeper:
    """Runs the loop."""

    def __init__(self, journal: str, grace: float) -> None:
        self.journal = journal
        self.grace = grace
        self.output = Output(journal)
        self.wake, waker = os.pipe()
        for end in (self.wake, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self.interrupt())
        self.child = 0
        self.code: int | None = None
        self.interrupted = False
        self.kill_at = float("inf")
        self.leave_at = float("inf")

    def start(self, argv: list[str], env: dict[str, str], stdout: int) -> int:
        """Start Terraform in a session of its own; returns the pipe of its output."""
        pipe, out = os.pipe()
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out, 2),
            (os.POSIX_SPAWN_DUP2, stdout if stdout >= 0 else out, 1),
        ]
        defaults = [signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGTERM]
        try:
            self.write("pid", "0 - 0 -\n")
            self.draft("exit", "")  # no Terraform starts where its end could not be told
            if stdout >= 0:
                os.set_inheritable(stdout, False)
            self.child = os.posix_spawn(
                argv[0], argv, env, file_actions=actions, setsid=True, setsigdef=defaults
            )
        except OSError as error:
            self.output.add(f"Cannot start {argv[0]}: {error.strerror}\n".encode())
            self.code = NEVER
            self.note("exit", f"{NEVER}\n")
        else:
            me = os.getpid()
            self.note("pid", f"{self.child} {started_at(self.child)} {me} {started_at(me)}\n")
        os.close(out)
        if stdout >= 0:
            os.close(stdout)
        os.set_blocking(pipe, False)
        return pipe

    def interrupt(self) -> None:
        """The one SIGINT, and the countdown."""
        if not self.interrupted and self.child and self.code is None:
            self.interrupted = True
            self.kill_at = time.monotonic() + self.grace
            os.kill(self.child, signal.SIGINT)

    def run(self, argv: list[str], env: dict[str, str], stdout: int) -> None:
        control = True
        if select.select([0], [], [], 0)[0]:
            self.note("exit", "130\n")  # whoever wanted this is gone, or wants it no more
            return
        pipe = self.start(argv, env, stdout)
        while pipe >= 0 or self.code is None:
            full = self.output.reader and len(self.output.pending) >= PENDING
            if full and self.interrupted:
                self.output.abandon()
                full = False
            reading = [self.wake] + ([0] if control else []) + ([pipe] if pipe >= 0 and not full else [])
            writing = [1] if self.output.pending else []
            patience = None if full else self.patience()
            ready, writable, _ = select.select(reading, writing, [], patience)
            if self.wake in ready:
                os.read(self.wake, CHUNK)
            if control and 0 in ready:
                control = self.heard()
                self.interrupt()
                if not control:
                    self.output.abandon()
            if writable:
                self.output.flush()
            if pipe >= 0 and pipe in ready:
                pipe = self.drain(pipe)
            self.reap()
            if time.monotonic() >= self.leave_at and not full:
                break
        self.deliver()

    def heard(self) -> bool:
        """Read the control socket; False where nobody is there any more."""
        try:
            return bool(os.read(0, CHUNK))
        except OSError:  # who died had not read all that was said
            return False

    def patience(self) -> float | None:
        until = min(self.kill_at if self.code is None else float("inf"), self.leave_at)
        return None if until == float("inf") else max(0.0, until - time.monotonic())

    def drain(self, pipe: int) -> int:
        try:
            data = os.read(pipe, CHUNK)
        except BlockingIOError:
            return pipe
        if data:
            self.output.add(data)
            return pipe
        os.close(pipe)
        return -1

    def reap(self) -> None:
        """See whether Terraform ended; kill it when its grace is over, and what it leaves behind when it ended."""
        if self.code is not None:
            return
        done, status = os.waitpid(self.child, os.WNOHANG)
        if done:
            self.code = os.waitstatus_to_exitcode(status)
            self.note("exit", f"{self.code}\n")
            self.leave_at = time.monotonic() + LINGER
        if done or time.monotonic() >= self.kill_at:
            try:
                os.killpg(self.child, signal.SIGKILL)
            except OSError:
                pass
            self.kill_at = float("inf")

    def deliver(self) -> None:
        """The rest of the output, to whoever still reads it."""
        while self.output.reader and self.output.pending:
            if not select.select([], [1], [], STALLED)[1]:
                break
            self.output.flush()

    def note(self, name: str, text: str) -> None:
        """Write as well as the disk allows: Terraform runs, and must be kept to its end whatever happens."""
        try:
            self.write(name, text)
        except OSError as error:
            self.output.add(f"Cannot write {name}: {error.strerror}\n".encode())

    def write(self, name: str, text: str) -> None:
        self.draft(name, text)
        rename(f"{self.journal}/{name}.new", f"{self.journal}/{name}")

    def draft(self, name: str, text: str) -> None:
        """All drafts have one length, so that one made early has room for its text when the disk is full."""
        draft = os.open(f"{self.journal}/{name}.new", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(draft, text.ljust(LENGTH).encode())
            os.fsync(draft)
        finally:
            os.close(draft)


def rename(path: str, to: str) -> None:
    os.rename(path, to)


def started_at(pid: int) -> str:
    """When a process started, in clock ticks after boot: with its id it names one process for ever. `-` if unknown
    (no /proc, or no such process); a zombie counts as gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in (b"Z", b"X") else fields[19].decode()


def keep(ends: list[int]) -> None:
    """A keeper's whole life: read the order from the control socket, run it, say how it began."""
    os.setsid()
    control, output, *captured = ends
    os.dup2(control, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(control)
    os.close(output)
    stdout = captured[0] if captured else -1
    order = b""
    while b"\n" not in order:
        try:
            data = os.read(0, 1 << 20)
        except OSError:
            return
        if not data:
            return  # whoever wanted this is gone
        order += data
    line, _, more = order.partition(b"\n")
    journal, grace, cwd, argv, env = json.loads(line)
    tell(f"{os.getpid()}")
    keeper = Keeper(journal, float(grace))
    if more:
        keeper.note("exit", "130\n")  # it is wanted no more already
        return
    try:
        os.chdir(cwd)
    except OSError as error:
        keeper.output.add(f"Cannot enter {cwd}: {error.strerror}\n".encode())
        keeper.note("exit", f"{NEVER}\n")
    else:
        keeper.run(argv, env, stdout)
    if not keeper.child:
        tell("never")


def tell(word: str) -> None:
    """Say it to whoever wanted this, if that is still there."""
    try:
        os.write(0, f"{word}\n".encode())
    except OSError:
        pass


def yielding() -> None:
    """Terraform, and all that it starts, gives way to whoever wakes up: the bot answers people in between, and Terraform
    is thrown off a processor less often (Linux: sched(7), SCHED_BATCH)."""
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (AttributeError, OSError):
        pass  # another system, or a sandbox that forbids it: it only takes longer


def serve() -> None:
    """Fork a keeper for each message on stdin, a socket: it brings the descriptors of the control socket, of the output
    and, where it is captured, of Terraform's stdout. At its end (the bot is gone) there is nothing left to do."""
    for one in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):  # the last one: nobody waits for keepers
        signal.signal(one, signal.SIG_IGN)
    yielding()
    with socket.socket(fileno=0) as orders:
        while True:
            data, ends, _, _ = socket.recv_fds(orders, 1, 3)
            if not data:
                return
            try:
                if os.fork() == 0:
                    try:
                        keep(ends)
                    finally:
                        os._exit(0)
            except OSError:  # no room for another process: the closed socket says so
                pass
            for end in ends:
                os.close(end)
