"""The playground's page: a pull request on the left, Slack on the right, over the stand-ins of a World."""
