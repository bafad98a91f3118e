"""Events: the table that keeps what members report.

May enter: keys, items and conditional writes of the event table. Not: what a report means (roster),
who may send one.
"""
