"""Help and import are quick because they load no heavy library."""

import subprocess
import sys

import pytest

HEAVY = ["numpy", "polars", "pandas", "pyarrow", "pydantic", "exchange_calendars", "rich"]


def _loaded(code: str) -> list[str]:
    check = f"import sys; print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    program = f"import atexit\natexit.register(lambda: exec({check!r}))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    found: list[str] = eval(done.stderr.splitlines()[-1])
    return found


def test_import_of_the_package_loads_nothing_heavy() -> None:
    assert _loaded("import quantvista; quantvista.errors.ConfigError; dir(quantvista)") == []


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = {['qv', *arguments]!r}; from quantvista.cli import main; main()"
    # Typer itself looks at pydantic when it has a command to prepare.
    assert set(_loaded(code)) <= (set() if arguments == ["--help"] else {"pydantic"})


def test_top_level_names_are_there_when_asked_for() -> None:
    import quantvista as qv

    for name in qv.__all__:
        assert getattr(qv, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = qv.nothing
