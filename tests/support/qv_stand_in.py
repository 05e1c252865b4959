"""``qv`` with stand-ins for node and guard: ``python -m support.qv_stand_in up fund.toml``.

Their traits come in NODE_TRAITS and GUARD_TRAITS.
"""

import os
import sys
from pathlib import Path

from quantvista.cli import _up, main
from quantvista.trading.supervisor import _plan

TESTS = Path(__file__).parents[1]


def command_of(command: str) -> tuple[str, ...]:
    if command == "paper":
        return sys.executable, "-m", "quantvista", "paper"
    return sys.executable, "-m", "support.stand_in", command


def start_of(self: _up.Up) -> tuple[str, ...]:
    return sys.executable, "-m", "support.qv_stand_in", *WHOLE(self)[3:]


WHOLE = _up.Up.command

if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    os.environ["PYTHONPATH"] = f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    _plan._qv = command_of
    _up.Up.command = start_of  # type: ignore[method-assign]
    main()
