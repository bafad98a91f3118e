"""What stands around a function in Lambda, stood in on loopback."""
