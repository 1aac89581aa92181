"""`towpath reseal`: the last step of replacing the secret key."""

from __future__ import annotations

from bot.cli.main import app
from bot.cli.up import begin
from bot.storage.crypto import Vault
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from bot.storage.key import load_key
from bot.storage.reseal import reseal as seal_anew


@app.command()
def reseal() -> None:
    """Seal everything at rest anew under the first key of TOWPATH_SECRET_KEY; then the others may be dropped."""
    settings = begin()
    key = load_key(settings.secret_key.get_secret_value() or None, settings.data_dir)
    database = Database(settings.database, Vault(key))
    count = seal_anew(database, open_inbox(database, settings.data_dir / "inbox.db"))
    database.close()
    print(f"Sealed {count} rows anew.")
