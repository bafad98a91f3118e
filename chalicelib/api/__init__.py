"""HTTP: the gate, bodies, parameters, problems (errors), log lines, OpenAPI.

``issuer``, ``rooms``, ``webhook`` and ``signed`` declare the requests and answers of the functions.
What a ticket, a room or a caller is belongs in the packages below.
"""
