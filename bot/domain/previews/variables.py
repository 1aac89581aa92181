"""Variables that tell Terraform about the instance that it makes: its name, and labels for the cloud's own console."""

from __future__ import annotations

import json

from bot.domain.target import Target

AWS = "TF_AWS_DEFAULT_TAGS_"
"""The AWS provider, from 5.62 on, adds each variable with this prefix to its default tags."""


def preview_variables(target: Target, pull: int) -> dict[str, str]:
    """Return variables for Terraform that name and label what an instance makes; none for an environment that exists once.

    `towpath_instance` is `pr-42`, for modules that declare that variable, so that two instances do not make things of one
    name. For labels, providers have no common way. AWS takes default tags from its environment; any other provider gets them where the
    module declares the variable `towpath_labels` (a map of strings) and passes it on. Google allows neither `:` nor capital
    letters in a label, hence `-`.
    """
    if not target.instance:
        return {}
    tags = {"pr": str(pull), "stack": target.stack}
    return {
        **{f"{AWS}towpath:{name}": value for name, value in tags.items()},
        "TF_VAR_towpath_instance": target.instance,
        "TF_VAR_towpath_labels": json.dumps({f"towpath-{name}": value for name, value in tags.items()}),
    }
