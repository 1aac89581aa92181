"""The tour: scenarios that run the real bot against the playground and print the conversation as people see it."""
