# Like dev: what works locally is tested here.
environment = "ci"
domain      = "ci.example.com"
servers     = 1
size        = "s"
image       = "debian-13"
nodes       = 1
