"""Where this user's caches live."""

import os
import sys
from pathlib import Path

__all__ = ["cache_dir"]


def cache_dir() -> Path:
    """Folder for files that can be made again at any time.

    ``QUANTVISTA_CACHE`` names it, else it is ``quantvista`` in the platform's cache folder. It
    need not exist yet.

    Returns
    -------
    pathlib.Path
        An absolute path.
    """
    if named := os.environ.get("QUANTVISTA_CACHE"):
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base.absolute() / "quantvista"
