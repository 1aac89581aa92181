"""What is shown where: each surface is rendered from the current rows and edited in place."""
