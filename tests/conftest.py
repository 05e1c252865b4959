"""Settings of all tests."""

import os
from typing import Any

from hypothesis import HealthCheck, settings

# How fast a case is drawn says how busy the machine is, and nothing of the code.
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

# The same cases everywhere, so that a failure is a change of the code. QV_RANDOM=1 looks for more.
settings.register_profile("fixed", derandomize=True, **QUIET)
settings.register_profile("random", print_blob=True, **QUIET)
settings.load_profile("random" if os.environ.get("QV_RANDOM") else "fixed")
