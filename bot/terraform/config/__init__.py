"""Parse configurations without Terraform: HCL, modules and backend blocks."""
