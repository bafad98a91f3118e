"""Who may call, and for what: backends by API key, members by report token.

May enter: proving who calls and what they may do. Not: what they then get.
"""
