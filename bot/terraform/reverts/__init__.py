"""What to add to an older configuration so that a revert's plan changes only what it must."""
