"""systemd: a fund as a unit of its user."""

from pathlib import Path

__all__ = ["unit_file"]

_UNIT = """\
# Save as ~/.config/systemd/user/{name}.service, then:
#   systemctl --user daemon-reload
#   systemctl --user enable --now {name}
# So that it runs without you being logged in: loginctl enable-linger
[Unit]
Description=QuantVista fund {fund}
After=network-online.target
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
ExecStart={command}
WorkingDirectory={folder}
Restart=on-failure
RestartSec=5
# Configuration, data and strategy: a restart does not mend these.
RestartPreventExitStatus=2 3 4
# The supervisor stops node, guard and paper venue in order; the others must not be signalled with
# it. If it dies, they go on, and the next one takes them over.
KillMode=process
TimeoutStopSec=90

[Install]
WantedBy=default.target
"""


def unit_file(fund: Path, command: tuple[str, ...]) -> tuple[str, str]:
    """Write the unit of a fund's supervisor.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    command : tuple of str
        What starts it in the foreground.

    Returns
    -------
    (str, str)
        The name of the unit, and its text.
    """
    folder = fund.absolute().parent
    name = f"quantvista-{''.join(each if each.isalnum() else '-' for each in folder.name)}"
    text = _UNIT.format(
        name=name,
        fund=_escaped(str(fund.absolute())),
        command=" ".join(map(_quoted, command)),
        folder=_escaped(str(folder)),
    )
    return name, text


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    word = _escaped(word).replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{word}"' if any(sign in word for sign in " \t\"'\\;") or not word else word
