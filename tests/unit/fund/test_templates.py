from pathlib import Path

import pytest

from quantvista.errors import ConfigError, OutputError
from quantvista.fund import TEMPLATES, load_fund, template_path, write_template
from quantvista.strategies import load_strategy


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_a_fund_that_loads(tmp_path: Path, name: str) -> None:
    written = write_template(name, tmp_path / "new" / "folder")
    assert written[0].name == "fund.toml"
    loaded = load_fund(written[0])
    if loaded.fund.needs_events:
        assert loaded.event_data().biases[0].name == "generated"
    else:
        assert loaded.market_data().close.shape[1] >= 4
    for sleeve in loaded.fund.sleeve:
        load_strategy(sleeve.strategy, loaded.base, sleeve.params)


def test_every_folder_of_templates_is_listed() -> None:
    folder = template_path("demo").parent.parent
    found = {each.name for each in folder.iterdir() if (each / "fund.toml").is_file()}
    assert found == set(TEMPLATES)


def test_own_files_are_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    with pytest.raises(ConfigError, match=r"mine\.py` is there already"):
        write_template("strategy", tmp_path)
    assert (tmp_path / "mine.py").read_text() == "precious"
    assert not (tmp_path / "fund.toml").exists()
    write_template("strategy", tmp_path, force=True)
    assert "class Crossing" in (tmp_path / "mine.py").read_text()


def test_unknown_template_raises(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="`template` must be one of demo, csv, strategy, event, grid"
    ):
        write_template("../demo", tmp_path)


def test_folder_that_cannot_be_made_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="`folder` must be writable"):
        write_template("demo", tmp_path / "file" / "below")
