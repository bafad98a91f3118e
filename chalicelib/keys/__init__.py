"""The managed key store: which key signs, which still verify, and an application's settings.

May enter: reading secrets and parameters, and caching what they say. Not: signing (tickets), rights
(callers).
"""
