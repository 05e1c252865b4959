"""Examples below the help of commands: one a line, so that each can be copied as it stands."""

import re

import typer

__all__ = ["examples_apart"]


def examples_apart(app: typer.Typer) -> None:
    """Break the examples of all commands of an app into lines; those of apps below it too."""
    if app.info.epilog:
        app.info.epilog = lines_of(app.info.epilog)
    for command in app.registered_commands:
        if command.epilog:
            command.epilog = lines_of(command.epilog)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            examples_apart(group.typer_instance)


def lines_of(epilog: str) -> str:
    r"""Put what several spaces divide on lines of its own, which are not wrapped.

    Examples
    --------
    >>> lines_of("Examples: qv data list    qv data list --json")
    '\x08\nExamples:\n  qv data list\n  qv data list --json'
    >>> lines_of("Start with: qv run --demo    then: qv init mine")
    '\x08\nStart with:\n  qv run --demo\n  qv init mine'
    """
    head, _, rest = epilog.partition(": ")
    commands = [each.removeprefix("then: ") for each in re.split(r" {2,}", rest.strip())]
    return "\n".join(["\b", f"{head}:", *(f"  {each}" for each in commands)])
