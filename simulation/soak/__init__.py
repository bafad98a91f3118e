"""What is kept when everything goes wrong: rooms played through stores that fail.

Everything is drawn from one seed, so that a play can be had again.
"""
