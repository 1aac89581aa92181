"""Terraform's processes: a fork server, a supervisor that outlives the bot, and how a call ended."""
