"""Trading in real time: gateways to venues, a paper venue, and how a running fund is spoken to.

``gateway`` is the protocol that every venue is spoken to by; ``paper`` is a venue of our own;
``control`` is the state folder of a running fund and the sockets of its processes; ``supervisor``
keeps those running.
"""
