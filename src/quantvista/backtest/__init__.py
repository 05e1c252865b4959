"""Run a fund over history, event by event, and record what happened."""
