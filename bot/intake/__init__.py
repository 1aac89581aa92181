"""Deliveries from GitHub and Slack: verified, stored, and read as requests."""
