"""The pages of the paper venue say what there is."""

from __future__ import annotations

import re
from pathlib import Path

from quantvista.trading.paper import FAULTS, PLACES
from quantvista.trading.paper._config import DEFAULT, VenueConfig, load_config
from support.doc_pages import blocks

DOCS = Path(__file__).parents[4] / "docs"
GUIDE = DOCS / "guide" / "paper-venue.md"


def test_configuration_of_the_guide_is_one(tmp_path: Path) -> None:
    (text,) = (each.text for each in blocks(GUIDE) if each.language == "toml")
    path = tmp_path / "paper.toml"
    path.write_text(text)
    config, base = load_config(path)
    assert [each.id for each in config.venue] == ["fast", "recorded"]
    terms, _ = config.venue[0].build(base)
    assert terms.rates.tiers[0].maker < 0 < terms.rates.latency.jitter_ns


def test_built_in_configuration_is_one(tmp_path: Path) -> None:
    config, base = load_config(None)
    assert [each.id for each in config.venue[0].build(base)[0].instruments] == [
        "BTC-USDT.PAPER",
        "ETH-USDT.PAPER",
    ]
    assert "[[venue]]" in DEFAULT


def test_guide_names_every_fault_and_key() -> None:
    page = GUIDE.read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {word for line in rows for word in re.findall(r"`([a-z]+)`", line.split("|")[1])}
    assert named == set(FAULTS)
    for line in rows:
        (kind, *_) = re.findall(r"`([a-z]+)`", line.split("|")[1])
        on = {place for place, kinds in PLACES.items() if kind in kinds}
        if on and "the same" not in line and "queries" not in line:
            assert set(re.findall(r"`(?:--on )?([a-z]+)`", line.split("|")[3])) == on, kind
    listed = page.split("All keys of a venue: ", 1)[1].split("Unknown ones")[0]
    assert set(VenueConfig.model_fields) <= set(re.findall(r"`([a-z_]+)`", listed))
