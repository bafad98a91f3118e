"""Rooms in real time, over HTTP on the deployed bundle, with known truth.

May enter: scripted rooms, the clients that report from them, and what became of it. Not: virtual
time (the modules beside this package), stores that fail (`simulation.soak`).
"""
