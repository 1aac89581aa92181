environment = "ci"
region      = "eu-1"
nodes       = 1
