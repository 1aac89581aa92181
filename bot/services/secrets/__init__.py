"""What people may know of an environment's secrets: which are set, where, and which values a module still lacks."""

from bot.services.secrets.overview import Examined, examine_secrets
from bot.services.secrets.report import Configuration, default_commit, report_secrets

__all__ = ["Configuration", "Examined", "default_commit", "examine_secrets", "report_secrets"]
