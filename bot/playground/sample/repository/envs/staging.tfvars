environment = "staging"
region      = "eu-1"
nodes       = 2
