"""Attacks by people who may open a pull request, or know an address: each one succeeded once."""
