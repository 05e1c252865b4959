"""Starting points for a fund of one's own."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from quantvista.errors import ConfigError, OutputError

__all__ = ["TEMPLATES", "template_path", "write_template"]

TEMPLATES: Mapping[str, str] = {
    "demo": "two sleeves on the built-in sample, 20 stocks and 32 years",
    "csv": "your own prices from a CSV file, with a small invented one",
    "strategy": "a portfolio strategy of your own, in mine.py",
    "event": "an event strategy of your own that sends orders, in mine.py",
    "grid": "a ladder of limit orders with stops and take-profits, in mine.py",
    "market_maker": "an Avellaneda-Stoikov market maker on a generated market",
    "arbitrage": "arbitrage between two venues of a generated market",
    "triangle": "arbitrage between three currencies of a generated market",
    "paper": "a fund of coins, and a paper venue at which it can trade",
}
"""Names of templates, and what each is for."""

_FOLDER = Path(__file__).parent / "templates"


def template_path(name: str) -> Path:
    """Fund file of a template.

    Raises
    ------
    ConfigError
        If there is no such template.

    Examples
    --------
    >>> template_path("demo").name
    'fund.toml'
    """
    if name not in TEMPLATES:
        raise ConfigError(f"`template` must be one of {', '.join(TEMPLATES)}; found {name!r}")
    return _FOLDER / name / "fund.toml"


def write_template(name: str, folder: Path, *, force: bool = False) -> list[Path]:
    """Copy a template.

    Parameters
    ----------
    name : str
        One of ``TEMPLATES``.
    folder : pathlib.Path
        Where to; made if it does not exist.
    force : bool
        Replace files that are there already.

    Returns
    -------
    list of pathlib.Path
        What was written, the fund file first.

    Raises
    ------
    ConfigError
        If there is no such template, or a file is there already.
    OutputError
        If the files cannot be written.
    """
    origin = template_path(name).parent
    names = sorted(
        (each.name for each in origin.iterdir() if each.is_file()),
        key=lambda file: (file != "fund.toml", file),
    )
    present = [file for file in names if (folder / file).exists()]
    if present and not force:
        raise ConfigError(
            f"`{folder / present[0]}` is there already; name another folder, or use --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in names:
            shutil.copyfile(origin / file, folder / file)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"`folder` must be writable; found {reason}: {folder}") from None
    return [folder / file for file in names]
