"""Zips and templates of the functions, for AWS and for this machine."""
