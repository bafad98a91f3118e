"""How the functions speak HTTP: problems (errors), decoding, answers, OpenAPI.

May enter: what every HTTPS function needs of HTTP. Not: what a ticket, a room or a caller is.
"""
