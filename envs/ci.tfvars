# As dev: what works on the laptop is seen to work here.
environment = "ci"
domain      = "ci.example.com"
servers     = 1
size        = "s"
image       = "debian-13"
nodes       = 1
