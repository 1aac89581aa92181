"""`towpath reseal`: re-encrypt stored data, the last step of replacing the secret key."""

from __future__ import annotations

from bot.cli.main import app
from bot.cli.output import working
from bot.cli.up import begin
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from bot.storage.key import load_key
from bot.storage.reseal import reseal as seal_anew
from bot.vault import Vault


@app.command()
def reseal() -> None:
    """Re-encrypt stored data with the first key of TOWPATH_SECRET_KEY. After that the other keys can be removed."""
    settings = begin()
    key = load_key(settings.secret_key.get_secret_value() or None, settings.data_dir)
    database = Database(settings.database, Vault(key))
    with working("Re-encrypting"):
        count = seal_anew(database, open_inbox(database, settings.data_dir / "inbox.db"))
    database.close()
    print(f"Re-encrypted {count} rows.")
