"""Trading in real time: gateways to venues, and a paper venue to trade against.

``gateway`` is the protocol that every venue is spoken to by; ``paper`` is a venue of our own.
"""
