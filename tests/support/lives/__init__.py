"""Whole lives of a fund in one thread: node, venue, network, disk and clocks, from a seed.

What runs is what runs in production; what surrounds it is made here, and goes wrong here.
"""
