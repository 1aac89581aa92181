"""The tour: stories that play the real bot against the playground, told as people would see them."""
