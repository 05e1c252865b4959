"""Keeping a fund alive beside its trading: backups, and what comes back of them."""
