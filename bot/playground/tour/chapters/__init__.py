"""The chapters of the tour, one file each."""
