"""Chat commands, one file each; `registry` collects them."""
