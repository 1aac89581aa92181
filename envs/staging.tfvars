# Like prod, but smaller.
environment = "staging"
domain      = "staging.example.com"
servers     = 2
size        = "m"
image       = "debian-13"
nodes       = 2
