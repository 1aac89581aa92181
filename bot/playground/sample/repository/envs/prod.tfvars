environment = "prod"
region      = "eu-1"
nodes       = 3
