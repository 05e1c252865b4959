"""The command ``qv``. Commands load what they need, so that ``qv --help`` is quick."""

__all__ = ["main"]


def main() -> None:
    """Run ``qv`` with the arguments of the process."""
    from quantvista.cli._app import app

    app(prog_name="qv")
