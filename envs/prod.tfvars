# Real users.
environment = "prod"
domain      = "example.com"
servers     = 2
size        = "l"
image       = "debian-13"
nodes       = 3
