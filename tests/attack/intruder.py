"""What a hostile provider tries while Terraform runs it; a program of its own: `intruder.py <report> <facts as JSON>`.

It writes a JSON object to the report: attempt → "done", or the error that stopped it.
"""

import json
import os
import signal
import socket
import sqlite3
import sys
from pathlib import Path


def read(path):
    Path(path).read_bytes()


def change_database(path):
    with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as database:
        database.execute("CREATE TABLE IF NOT EXISTS intruder (x)")


def read_environments():
    found = [
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/environ") if _parent(path) != os.getppid()
    ]
    if not found:
        raise FileNotFoundError("no process is visible")


def _parent(path):
    return int(path.parent.name)


def change_cached_provider():
    providers = Path(".terraform", "providers")
    (Path(os.path.realpath(providers)) / "planted").write_text("x")


def bind(port):
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))


def main(report, facts):
    data = Path(facts["data"])
    os.chdir(os.environ["OLDPWD"])  # where Terraform started the provider
    attempts = {
        "read /etc/passwd": lambda: read("/etc/passwd"),
        "read the bot's log": lambda: read(facts["log"]),
        "read the database": lambda: read(data / "towpath.db"),
        "change the database": lambda: change_database(data / "towpath.db"),
        "list the data directory": lambda: list(data.iterdir()),
        "read the bot's environment": lambda: read(f"/proc/{facts['bot']}/environ"),
        "read other environments": read_environments,
        "write next to other worktrees": lambda: (data / "worktrees" / "planted").write_text("x"),
        "change a cached provider": change_cached_provider,
        "write to the temporary directory of all": lambda: Path("/tmp", facts["name"]).write_text("x"),
        "signal the bot": lambda: os.kill(facts["bot"], signal.SIGCONT),
        "take a port": lambda: bind(facts["port"]),
        # what a provider may do
        "read the checkout": lambda: list(Path().iterdir()),
        "write to the checkout": lambda: Path("by-the-provider").write_text("x"),
        "write to its own TMPDIR": lambda: Path(os.environ["TMPDIR"], "x").write_text("x"),
        "read certificates": lambda: list(Path("/etc/ssl").iterdir()),
        "take any free port": lambda: bind(0),
    }
    found = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = "done"
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    draft = Path(f"{report}.new")
    draft.write_text(json.dumps(found))
    draft.replace(report)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
