environment = "test"
region      = "eu-1"
nodes       = 1
