"""The local AWS, and `make run`."""
