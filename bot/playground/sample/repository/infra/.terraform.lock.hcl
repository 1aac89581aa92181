# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "towpath.example/demo/playground" {
  version     = "1.0.0"
  constraints = "1.0.0"
  hashes = [
    "h1:a73AylTlYmFRs0GEXy+hpPLKp5Nf0WfjYGzbCJlbtUc=",
  ]
}
