"""Lake: rows for analytics.

May enter: what a row is, rows from the event table's items, packing, Firehose. Not: what a query
asks, how the lake is deployed.
"""
