environment = "dev"
region      = "eu-1"
nodes       = 1
