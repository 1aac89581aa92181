"""One file a result: what is said about it, as a neutral document."""
