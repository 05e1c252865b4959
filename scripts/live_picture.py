"""The README's picture of a fund that runs: the live view, as a terminal shows it.

Usage: python scripts/live_picture.py STATE, of a fund that runs, such as one of
``qv init f --template paper``. It waits until all sleeves hold something. Needs Chromium.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from quantvista.cli._live import View
from quantvista.cli._status import Standing, gather
from quantvista.trading.control import Place

PATH = Path(__file__).parents[1] / "docs" / "images" / "live.png"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_EM, _WIDE, _TALL, _MARGIN = 15, 0.602, 1.4, 18  # of a letter of the terminal, in px and ems
_PAPER, _INK = (16, 20, 26), (214, 219, 224)
_THEME = TerminalTheme(_PAPER, _INK, [_INK] * 8, [_INK] * 8)
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: {background}; color: {foreground} }}
pre {{ margin: %dpx; font: %dpx/%g "DejaVu Sans Mono", monospace }}
</style><pre>{code}</pre>""" % (_MARGIN, _EM, _TALL)  # noqa: UP031 - rich fills in the braces


def standing(place: Place, within_s: float) -> Standing:
    """Wait until there is something to see of every sleeve."""
    end = time.monotonic() + within_s
    while True:
        found = gather(place)
        node = found.answers.get("node", {})
        sleeves = {each["sleeve"] for each in node.get("positions", [])}
        if len(sleeves) > 1 and node.get("orders"):
            return found
        if time.monotonic() > end:
            sys.exit(f"after {within_s:g} s not all sleeves hold something, or no order works")
        time.sleep(0.2)


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--lines", type=int, default=42)
    parser.add_argument("--wait", type=float, default=300.0, metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=PATH)
    asked = parser.parse_args()
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        sys.exit("this needs Chromium, which is not here")
    place = Place(asked.state)
    with Path("/dev/null").open("w") as nowhere:
        terminal = Console(
            file=nowhere,
            force_terminal=True,
            color_system="truecolor",
            width=asked.columns,
            height=asked.lines,
            record=True,
            highlight=False,
        )
        view = View(place, "Ctrl-C stops the fund in order", terminal)
        terminal.print(view.whole(standing(place, asked.wait)))
        rows = terminal.export_text(clear=False).count("\n")
        page = terminal.export_html(theme=_THEME, code_format=_PAGE, inline_styles=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "live.html"
        source.write_text(page)
        width = round(asked.columns * _EM * _WIDE + 2 * _MARGIN)
        height = round(rows * _EM * _TALL + 2 * _MARGIN)
        words = (
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", "--disable-quic", f"--user-data-dir={folder}"),
            *("--force-device-scale-factor=2", f"--window-size={width},{height}"),
            *(f"--screenshot={asked.out}", f"file://{source}"),
        )
        subprocess.run((browser, *words), check=True, capture_output=True)
    sys.stdout.write(f"wrote {asked.out}, {asked.out.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
