"""The content of each message."""
