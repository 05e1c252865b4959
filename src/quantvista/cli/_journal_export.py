"""Journals as tables, and as a proof."""

from pathlib import Path
from typing import Any

from quantvista.cli._journal import kind_numbers, known_kinds
from quantvista.cli._journal_show import range_of
from quantvista.cli._print import next_steps, number, print_json, say
from quantvista.cli._progress import progress_bar
from quantvista.errors import ConfigError
from quantvista.journal import Selection, records, require_journal, tail
from quantvista.journal.export import write_jsonl, write_parquet, write_proof

__all__ = ["export_journal"]

_WRITERS = {".parquet": write_parquet, ".jsonl": write_jsonl}


def export_journal(
    folder: Path,
    out: Path | None,
    proof: Path | None,
    sequences: str,
    *,
    kinds: list[str],
    as_json: bool,
) -> None:
    """Write the table and the proof that are asked for."""
    require_journal(folder)
    if out is None and proof is None:
        raise ConfigError("`--out` or `--proof` must be given; found neither")
    if out is not None and out.suffix not in _WRITERS:
        raise ConfigError(f"`--out` must end with .parquet or .jsonl; found {out}")
    told: dict[str, Any] = {}
    if out is not None:
        first, last = range_of(sequences, option="--range")
        count = _table(folder, out, Selection(first, last, kind_numbers(kinds)), quiet=as_json)
        told |= {"out": str(out), "records": count}
    if proof is not None:
        seal = write_proof(folder, proof)
        told |= {"proof": str(proof), "sealed": seal.sequence, "key": seal.key.hex()}
    if as_json:
        print_json(told)
        return
    if out is not None:
        say(f"wrote {out}: {number(told['records'], 0)} records")
    if proof is not None:
        say(f"wrote {proof}: records 1 to {number(told['sealed'], 0)}, as they were sealed")
        next_steps([f"qv journal verify {proof} --key {told['key']}", f"less {proof}/CHECK.txt"])


def _table(folder: Path, out: Path, chosen: Selection, *, quiet: bool) -> int:
    newest = tail(folder, 1)
    end = newest[-1].sequence if newest else 0
    total = max(0, min(end, chosen.last or end) - chosen.first + 1)
    with progress_bar(enabled=not quiet) as advance:
        return _WRITERS[out.suffix](
            records(folder, chosen),
            out,
            known_kinds(),
            lambda sequence: advance(sequence - chosen.first + 1, total, f"writing {out.name}"),
        )
