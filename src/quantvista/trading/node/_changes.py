"""What a changed fund file means for a fund that has traded."""

import json
from typing import Any

from quantvista.errors import ConfigError
from quantvista.trading.node._bodies import NodeOpened
from quantvista.trading.node._terms import NodeSetup

__all__ = ["check_changes"]

_IGNORED = ("epoch",)


def check_changes(
    last: NodeOpened, setup: NodeSetup
) -> tuple[list[str], list[tuple[str, int | None]]]:
    """Say what is different from the fund file before, or refuse it.

    Hot changes (limits of the gate) come into effect as operator's commands. Strategies and their
    parameters change at a barrier between processes, which recovery has checked. Everything else
    that the engine is set up with (instruments, accounts, cash, sleeves, venues) needs a flat fund
    and a new state folder.

    Parameters
    ----------
    last : NodeOpened
        What the last process said.
    setup : NodeSetup
        What the file says now.

    Returns
    -------
    changes : list of str
        In words.
    limits : list of (str, int or None)
        Limits to change, in the engine's units.

    Raises
    ------
    ConfigError
        If it needs a new state folder.
    """
    before, after = json.loads(last.engine), _plain(setup.config)
    changes = [] if last.fund_hash == setup.fund_hash else ["fund file or strategies changed"]
    needs_flat = [
        name
        for name in sorted({*before, *after} - {"limits", *_IGNORED})
        if before.get(name) != after.get(name)
    ]
    if needs_flat:
        rule = "can only change with a new state folder, while the fund is flat"
        raise ConfigError(
            f"`{needs_flat[0]}` of the fund {rule}; found it changed since epoch {last.epoch}. "
            "Put it back, or close everything with `qv flatten`, stop, and name another --state"
        )
    limits: list[tuple[str, int | None]] = []
    old, new = before["limits"], after["limits"]
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        value = new.get(name)
        if not (value is None or isinstance(value, int)) or isinstance(value, bool):
            raise ConfigError(
                f"`risk` limit {name} can only change with a new state folder; found it changed "
                f"since epoch {last.epoch}. Put it back"
            )
        limits.append((name, value))
        changes.append(f"limit {name}: {old.get(name)} before, {value} now")
    return changes, limits


def _plain(config: Any) -> Any:  # noqa: ANN401
    return json.loads(json.dumps(config))
