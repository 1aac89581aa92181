"""The process that carries out the steps of exports: in the sandbox, with network access to its databases and bucket only.

Start at `messages` (what it receives and reports) and `process` (the bot's side)."""
