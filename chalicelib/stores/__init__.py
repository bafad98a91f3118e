"""Secrets Manager and SSM: read, cached, and named.

May enter: reading secrets and parameters, caching what they say, their names and settings. Not:
which key signs (keys), who may call (auth).
"""
