"""A stand-in for GitHub that keeps state, serves real git, and refuses what GitHub refuses."""
