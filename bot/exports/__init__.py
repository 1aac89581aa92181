"""The data of exports: read and mask it, store it, load it next to a database, and swap."""
