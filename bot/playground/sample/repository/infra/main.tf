terraform {
  required_version = ">= 1.5"

  required_providers {
    playground = {
      source  = "towpath.example/demo/playground"
      version = "1.0.0"
    }
  }
}

# The cloud and its token come from the environment: PLAYGROUND_CLOUD_DIR, PLAYGROUND_TOKEN.
provider "playground" {}
