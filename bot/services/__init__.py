"""Use cases, one package a feature, built on ports."""
