"""Settings of all tests."""

import os

from hypothesis import settings

# The same cases everywhere, so that a failure is a change of the code. QV_RANDOM=1 looks for more.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("random" if os.environ.get("QV_RANDOM") else "fixed")
