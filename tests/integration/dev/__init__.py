"""`towpath dev` on clones of its own, with real processes and real Terraform."""
