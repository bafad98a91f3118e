"""A ground-truth simulation of rooms: what truly happens, what clients make of it, what we say.

Everything is drawn from one seed, so that a run can be had again.
"""
