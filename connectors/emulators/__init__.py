"""Trackers that behave like real ones without being installed: for the demo, the bench, the simulation and tests.

`tracker` is the helpdesk in memory that they share; `rt`, `redmine` and `plain` speak it over real HTTP on loopback.
"""
