"""An offline Terraform provider, `towpath.example/demo/playground`. Its cloud is a directory of JSON files."""

from __future__ import annotations

from bot.playground.provider.cloud import Cloud, CloudError
from bot.playground.provider.install import SOURCE, VERSION, install

__all__ = ["SOURCE", "VERSION", "Cloud", "CloudError", "install"]
