environment = "dev"
region      = "eu-1"
nodes       = 1
base_url    = "http://127.0.0.1:28471"
