"""What a fund, our code and the place where it runs are known by."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from quantvista._version import __version__
from quantvista.fund._load import LoadedFund
from quantvista.fund._schema import resolved_toml

__all__ = ["code_identity", "environment_identity", "fund_hash"]


def fund_hash(loaded: LoadedFund) -> str:
    """Identify a fund by its resolved file and the content of its strategy files."""
    fund = hashlib.sha256(resolved_toml(loaded.fund).encode())
    for sleeve in loaded.fund.sleeve:
        if isinstance(sleeve.strategy, str) and ".py:" in sleeve.strategy:
            source = loaded.base / sleeve.strategy.rpartition(":")[0]
            fund.update(source.read_bytes() if source.is_file() else b"")
    return fund.hexdigest()


def code_identity() -> dict[str, Any]:
    """Our version, and the commit of the checkout that it runs from, if it does."""
    return {"version": __version__, "commit": _commit()}


def environment_identity() -> dict[str, Any]:
    """Where this process runs, and on which libraries."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        **{name: version(name) for name in ("numpy", "polars", "pyarrow")},
    }


def _commit() -> str | None:
    git = Path(__file__).parents[3] / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        return (git / head[5:]).read_text().strip()
    except OSError:
        return None
