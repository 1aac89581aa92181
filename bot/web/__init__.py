"""HTTP: webhooks, sign-in to the state backend, the console, health and metrics."""
