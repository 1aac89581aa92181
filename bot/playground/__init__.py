"""The playground: stand-ins for GitHub, Slack and a cloud, a sample repository, the demo page and the tour."""
