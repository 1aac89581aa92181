"""The audit record as others check it and take it away: reading alone, through the port."""
