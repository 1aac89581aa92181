# Like ci, with its own domain name for every pull request.
environment = "test"
domain      = "test.example.com"
servers     = 1
size        = "s"
image       = "debian-13"
nodes       = 1
