"""Which key signs: versions, rotation, KMS and probes.

May enter: an application's keys, which of them signs, which still verify, how they change. Not:
reading stores (stores), signing (tickets), rights (auth).
"""
