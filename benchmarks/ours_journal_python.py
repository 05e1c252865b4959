"""Records made durable from Python, a call each; the size is their number."""

from _common import Found, Stopwatch, main
from _journal import BATCH, KIND, VERSION, all_there, batches, folder

import quantvista
from quantvista.journal import Journal, verify


def work(records: int) -> Found:
    """Append and commit; the payloads are made before, a batch at a time."""
    appending, committing = Stopwatch(), Stopwatch()
    with folder() as place:
        with Journal(place, "speed") as journal:
            append = journal.append
            for start, made in batches(records):
                with appending:
                    for ts, payload in enumerate(made, start):
                        append(KIND, VERSION, ts, payload)
                with committing:
                    journal.commit()
        found = verify(place)
    rates = {
        "appends alone": records / appending.seconds,
        f"commits of {BATCH:,}": records / BATCH / committing.seconds,
    }
    agreed = all_there(found.records, records)
    seconds = appending.seconds + committing.seconds
    chain = found.head.chain.hex()[:8]
    return seconds, records, quantvista.__version__, chain, agreed, rates


if __name__ == "__main__":
    main(work)
