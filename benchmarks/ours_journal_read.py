"""A day's journal opened for writing, and read from Python, every byte checked; size as records."""

from _common import Found, Stopwatch, main
from _journal import KIND, VERSION, all_there, batches, folder

import quantvista
from quantvista.journal import Journal, Reader


def work(records: int) -> Found:
    """Open and read all; what is read was written before."""
    opening, reading = Stopwatch(), Stopwatch()
    with folder() as place:
        with Journal(place, "speed") as journal:
            for start, made in batches(records):
                for ts, payload in enumerate(made, start):
                    journal.append(KIND, VERSION, ts, payload)
                journal.commit()
        with opening:
            Journal(place, "speed").close()
        size = count = 0
        reader = Reader(place)
        with reading:
            for batch in reader:
                count += len(batch)
                size += sum(len(record.payload) for record in batch)
        head = reader.head
    assert head is not None
    rates = {"reading alone": records / reading.seconds}
    agreed = f"{all_there(count, records)}, {size // count} bytes each"
    seconds = opening.seconds + reading.seconds
    return seconds, records, quantvista.__version__, head.chain.hex()[:8], agreed, rates


if __name__ == "__main__":
    main(work)
