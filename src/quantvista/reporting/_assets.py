"""The script and the style sheet that every page embeds, built from ``dashboard/``."""

from functools import cache
from pathlib import Path

from quantvista.errors import OutputError

__all__ = ["script", "style_sheet"]

_FOLDER = Path(__file__).parent / "_assets"


def script() -> str:
    """Return the script, safe inside a ``<script>`` element."""
    return _read("report.js").replace("</script", "<\\/script")


def style_sheet() -> str:
    """Return the style sheet."""
    return _read("report.css")


@cache
def _read(name: str) -> str:
    try:
        return (_FOLDER / name).read_text("utf-8")
    except OSError as error:
        raise OutputError(
            f"`reporting/_assets` must hold {name}; found none; run `make build` in the repository"
        ) from error
