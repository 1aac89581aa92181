# Local development: small and quick to start.
environment = "dev"
domain      = "dev.example.com"
servers     = 1
size        = "s"
image       = "debian-13"
nodes       = 1
