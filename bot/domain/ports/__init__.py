"""Protocols that adapters implement. Services know adapters only by these."""
