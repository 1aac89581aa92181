"""GitHub Actions as an environment: the runner's files and variables, its OpenID tokens, age encryption, workflow files."""
