"""A stand-in for GitHub: it keeps state, serves real git, and refuses what GitHub refuses."""
