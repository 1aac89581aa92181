"""`python -m bot` is `towpath`."""

from bot.cli import main

main()
