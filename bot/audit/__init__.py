"""Read, verify and export the audit record, through the store's port."""
