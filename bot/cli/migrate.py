"""`towpath migrate`: migrate the database to this version."""

from __future__ import annotations

from bot.cli.main import app
from bot.cli.output import working
from bot.cli.up import begin
from bot.jobs import durable
from bot.storage.database import Database
from bot.storage.key import load_key
from bot.storage.migrate import migrate as to_newest
from bot.storage.migrate import pending
from bot.vault import Vault


@app.command()
def migrate() -> None:
    """Migrate the database to this version. Safe to run twice, or on two machines at once."""
    settings = begin()
    key = load_key(settings.secret_key.get_secret_value() or None, settings.data_dir)
    database = Database(settings.database, Vault(key))
    steps = pending(database.engine)
    with working("Migrating the database"):
        to_newest(database.engine)
        durable.migrate(database.engine)
    database.check_key()
    database.close()
    print(f"Applied {', '.join(steps)}." if steps else "The database is up to date.")
