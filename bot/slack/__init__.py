"""The Slack adapter: implements the Chat port and receives Slack's requests."""
