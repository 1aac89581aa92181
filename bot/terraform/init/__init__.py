"""`terraform init`, with its results cached by a fingerprint of everything that they depend on."""
