"""The guard's journal: the ids that it makes."""

from dataclasses import dataclass

from quantvista.journal import MemoryDisk
from quantvista.trading.guard._log import GuardLog


@dataclass
class Hand:
    """A clock that is set by hand."""

    now: int

    def now_ns(self) -> int:
        return self.now


def test_no_guard_uses_an_id_of_one_with_another_journal() -> None:
    """A new state folder began at 1 again, and the venue knew those ids from before."""
    clock = Hand(1_700_000_000_500_000_000)
    disk = MemoryDisk()
    epochs = []
    for place in (disk, disk, MemoryDisk()):
        log = GuardLog(place, "f", clock)
        epochs.append(log.state.epoch)
        log.close()
        clock.now += 5_000_000_000
    assert epochs == [1_700_000_001, 1_700_000_002, 1_700_000_011]
    assert log.order_id() == "f.guard-1700000011-000001"
