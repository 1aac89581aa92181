# As ci, with a name of its own for every pull request.
environment = "test"
domain      = "test.example.com"
servers     = 1
size        = "s"
image       = "debian-13"
nodes       = 1
