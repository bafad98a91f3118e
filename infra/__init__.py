"""Packaging, deployment and the local AWS; never part of a function."""
