"""Terraform's command line: find the executable, build arguments and environment, run it, parse its output."""
