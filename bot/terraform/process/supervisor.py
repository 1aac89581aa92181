"""Supervise one Terraform process, and go on doing so when the bot is killed.

This is a program of its own that imports only a few built-in modules, so that it starts in milliseconds.
bot.terraform.process.fork_server starts it once; it forks a supervisor for each order. A supervisor's stdin is the
control socket. After the order, `interrupt` or end of file (the bot died) makes it send Terraform exactly one SIGINT,
since Terraform stops hard on a second one; after the grace it kills Terraform.
Terraform's output is passed on to stdout. Once nobody reads it, it goes to the file `output` in the journal, so that
Terraform never writes to a broken or full pipe. The journal also has `pid` (process id and start time of Terraform,
then of its supervisor) and `exit` (the exit code, negative for a signal).
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable

CHUNK = 65536
MAX_PENDING = 1 << 20
"""Bytes buffered for a slow reader before Terraform has to wait as well."""
FILE_SIZE = 1 << 20
"""Bytes per file of orphaned output. The previous file is kept as well, so that the end is never lost."""
LINGER = 0.5
"""Seconds to wait for output after Terraform's end, while a process that it left behind holds the pipe open."""
NOT_STARTED = 127
"""Exit code recorded if Terraform was never started."""
JOURNAL_LENGTH = 100
"""Bytes of a journal file, padded with spaces."""
STALLED = 60.0
"""Seconds without progress after which a reader counts as gone, once Terraform has ended."""
PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h."""
INFO = 3
"""The descriptor on which bubblewrap names the process inside, see bwrap(1), --info-fd."""
DEFAULTS = (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGTERM)
"""Signals that Terraform starts with as a shell would leave them."""

Confine = Callable[[list[str], list[str]], None]
"""Confines the calling process to (readable, writable) paths; raises OSError."""


class Output:
    """Passes output on to the reader while there is one, else writes it to a bounded file."""

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
            self.store(data)

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
        """Stop writing to the reader: it is gone, or too slow for a Terraform that has to stop now."""
        if self.reader:
            self.reader = False
            self.store(bytes(self.pending))
            self.pending.clear()

    def store(self, data: bytes) -> None:
        try:
            path = f"{self.journal}/output"
            if self.file < 0 or self.size > FILE_SIZE:
                if self.file >= 0:
                    os.close(self.file)
                    rename(path, f"{path}.old")
                self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                self.size = 0
            self.size += os.write(self.file, data)
        except OSError:
            self.size = 0  # a full disk must not end the supervisor: the exit code matters more


class Supervisor:
    """Starts Terraform, passes its output on, interrupts it, and records its exit code."""

    def __init__(
        self, journal: str, grace: float, confine: Callable[[], None], *, bubblewrap: bool = False
    ) -> None:
        self.journal = journal
        self.grace = grace
        self.confine = confine
        self.inside = os.pipe() if bubblewrap else None
        self.output = Output(journal)
        self.wakeup, waker = os.pipe()
        for end in (self.wakeup, waker):
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
        self.stop_reading_at = float("inf")

    def start(self, argv: list[str], env: dict[str, str], stdout: int) -> int:
        """Start Terraform in a session of its own; return the pipe with its output."""
        pipe, out = os.pipe()
        try:
            self.write("pid", "0 - 0 -\n")
            self.draft("exit", "")  # on a full disk this fails: an exit code could not be recorded
            if stdout >= 0:
                os.set_inheritable(stdout, False)
            self.child = self.spawn(argv, env, stdout if stdout >= 0 else out, out)
        except OSError as error:
            self.output.add(f"Cannot start {argv[0]}: {error.strerror}\n".encode())
            self.code = NOT_STARTED
            self.try_write("exit", f"{NOT_STARTED}\n")
        else:
            me = os.getpid()
            self.try_write("pid", f"{self.child} {started_at(self.child)} {me} {started_at(me)}\n")
        os.close(out)
        if stdout >= 0:
            os.close(stdout)
        os.set_blocking(pipe, False)
        return pipe

    def spawn(self, argv: list[str], env: dict[str, str], stdout: int, stderr: int) -> int:
        """Start the program, confined; return its process id. Raises OSError, also for what failed in the new process."""
        failed, failing = os.pipe()
        if self.inside:
            argv = [*argv[:1], "--info-fd", str(INFO), *argv[1:]]
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(stdout, 1)
                os.dup2(stderr, 2)
                if self.inside:
                    os.dup2(self.inside[1], INFO)
                signal.set_wakeup_fd(-1)
                for number in DEFAULTS:
                    signal.signal(number, signal.SIG_DFL)
                self.confine()
                os.execve(argv[0], argv, env)  # noqa: S606 - the bot's own argument list
            except Exception as error:
                code = getattr(error, "errno", None) or 0
                os.write(failing, f"{code} {getattr(error, 'strerror', None) or error}".encode())
            finally:
                os._exit(NOT_STARTED)
        os.close(failing)
        with open(failed, "rb") as pipe:
            errno, _, reason = pipe.read().decode().partition(" ")  # closed by a successful execve
        if errno:
            os.waitpid(child, 0)
            raise OSError(int(errno), reason)
        return child

    def interrupt(self) -> None:
        """Send Terraform its one SIGINT and start the grace period."""
        if not self.interrupted and self.child and self.code is None:
            self.interrupted = True
            self.kill_at = time.monotonic() + self.grace
            os.kill(self.terraform(), signal.SIGINT)

    def terraform(self) -> int:
        """Return Terraform's process id: bubblewrap, which started it, passes no signal on."""
        if not self.inside:
            return self.child
        os.set_blocking(self.inside[0], False)
        try:
            return int(json.loads(os.read(self.inside[0], CHUNK))["child-pid"])
        except (OSError, ValueError, KeyError):  # it did not come so far
            return self.child

    def run(self, argv: list[str], env: dict[str, str], stdout: int) -> None:
        control = True
        if select.select([0], [], [], 0)[0]:
            self.try_write("exit", "130\n")  # interrupted before the start, or the bot is gone
            return
        pipe = self.start(argv, env, stdout)
        while pipe >= 0 or self.code is None:
            full = self.output.reader and len(self.output.pending) >= MAX_PENDING
            if full and self.interrupted:
                self.output.abandon()
                full = False
            reading = [self.wakeup] + ([0] if control else []) + ([pipe] if pipe >= 0 and not full else [])
            writing = [1] if self.output.pending else []
            timeout = None if full else self.timeout()
            ready, writable, _ = select.select(reading, writing, [], timeout)
            if self.wakeup in ready:
                os.read(self.wakeup, CHUNK)
            if control and 0 in ready:
                control = self.read_control()
                self.interrupt()
                if not control:
                    self.output.abandon()
            if writable:
                self.output.flush()
            if pipe >= 0 and pipe in ready:
                pipe = self.drain(pipe)
            self.reap()
            if time.monotonic() >= self.stop_reading_at and not full:
                break
        self.deliver()

    def read_control(self) -> bool:
        """Read the control socket; return False at its end, when the bot is gone."""
        try:
            return bool(os.read(0, CHUNK))
        except OSError:  # a reset: the bot died with unread data in its socket
            return False

    def timeout(self) -> float | None:
        until = min(self.kill_at if self.code is None else float("inf"), self.stop_reading_at)
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
        """Record Terraform's end. Kill its process group when it has ended, or when its grace is over."""
        if self.code is not None:
            return
        done, status = os.waitpid(self.child, os.WNOHANG)
        if done:
            self.code = os.waitstatus_to_exitcode(status)
            self.try_write("exit", f"{self.code}\n")
            self.stop_reading_at = time.monotonic() + LINGER
        if done or time.monotonic() >= self.kill_at:
            try:
                os.killpg(self.child, signal.SIGKILL)
            except OSError:
                pass
            self.kill_at = float("inf")
        if done:
            kill_orphans()

    def deliver(self) -> None:
        """Write the rest of the output, as long as the reader takes it."""
        while self.output.reader and self.output.pending:
            if not select.select([], [1], [], STALLED)[1]:
                break
            self.output.flush()

    def try_write(self, name: str, text: str) -> None:
        """Write a journal file. On an error go on: a running Terraform must be supervised to its end."""
        try:
            self.write(name, text)
        except OSError as error:
            self.output.add(f"Cannot write {name}: {error.strerror}\n".encode())

    def write(self, name: str, text: str) -> None:
        self.draft(name, text)
        rename(f"{self.journal}/{name}.new", f"{self.journal}/{name}")

    def draft(self, name: str, text: str) -> None:
        """Write `<name>.new`. All drafts have one length, so that an early one reserves room on a full disk."""
        draft = os.open(f"{self.journal}/{name}.new", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(draft, text.ljust(JOURNAL_LENGTH).encode())
            os.fsync(draft)
        finally:
            os.close(draft)


def rename(path: str, to: str) -> None:
    os.rename(path, to)


def started_at(pid: int) -> str:
    """Return a process's start time in clock ticks after boot, which with its id identifies it uniquely.

    `-` if it is not known: there is no /proc, or no such process. A zombie counts as gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in (b"Z", b"X") else fields[19].decode()


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends, so that `kill_orphans` finds them. Linux only."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (AttributeError, OSError):
        pass


def kill_orphans() -> None:
    """Kill what Terraform left behind, in whatever session: it could still change the files of the next call."""
    try:
        while True:
            with open(f"/proc/self/task/{os.getpid()}/children", "rb") as children:
                found = children.read().split()
            for child in found:
                os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0 if found else os.WNOHANG)  # raises ChildProcessError when there are none left
    except (OSError, ValueError):
        pass


def supervise(descriptors: list[int], confine: Confine) -> None:
    """Read the order from the control socket and run it; reply with the process id, and `never` if it did not start.

    descriptors: the control socket, the output, and the captured stdout if any.
    """
    os.setsid()
    control, output, *captured = descriptors
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
            return  # the bot is gone
        order += data
    line, _, more = order.partition(b"\n")
    journal, grace, cwd, argv, env, access, bubblewrap = json.loads(line)
    reply(f"{os.getpid()}")
    adopt_orphans()
    supervisor = Supervisor(
        journal, float(grace), lambda: confine(*access) if access else None, bubblewrap=bubblewrap
    )
    if more:
        supervisor.try_write("exit", "130\n")  # interrupted before the start
        return
    try:
        os.chdir(cwd)
    except OSError as error:
        supervisor.output.add(f"Cannot enter {cwd}: {error.strerror}\n".encode())
        supervisor.try_write("exit", f"{NOT_STARTED}\n")
    else:
        supervisor.run(argv, env, stdout)
    if not supervisor.child:
        reply("never")


def reply(word: str) -> None:
    """Write a line to the bot, if it is still there."""
    try:
        os.write(0, f"{word}\n".encode())
    except OSError:
        pass


def use_batch_scheduling() -> None:
    """Let this process and its children yield to tasks that wake up, so that the bot stays responsive.

    Terraform is preempted less often, too. See sched(7), SCHED_BATCH.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (AttributeError, OSError):
        pass  # not Linux, or forbidden by a sandbox: only slower


def serve(confine: Confine) -> None:
    """Fork a supervisor for each message on stdin, a socket, until its end (the bot is gone).

    A message carries the descriptors that `supervise` takes.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):  # SIGCHLD: supervisors are not waited for
        signal.signal(number, signal.SIG_IGN)
    use_batch_scheduling()
    with socket.socket(fileno=0) as orders:
        while True:
            data, descriptors, _, _ = socket.recv_fds(orders, 1, 3)
            if not data:
                return
            try:
                if os.fork() == 0:
                    try:
                        supervise(descriptors, confine)
                    finally:
                        os._exit(0)
            except OSError:  # cannot fork: the bot sees the closed socket
                pass
            for descriptor in descriptors:
                os.close(descriptor)
