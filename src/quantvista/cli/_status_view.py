"""How a fund stands, drawn for a terminal of 80 columns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from quantvista.cli._print import MINUS, NONE
from quantvista.cli._status import Standing

__all__ = ["standing_view"]

# Blue-green, vermilion and ochre that can be read on black and on white, 4.5:1 or nearly.
_GAIN = "#0a8577"
_LOSS = "#cf4a1c"
_OURS = "bold"
_ALARM = "bold white on #c4002b"  # of halts and of what is down, and of nothing else
_CAUTION = "bold #937000"
_QUIET = "dim"
_HEALTH = {"trading": f"bold {_GAIN}", "halted": _ALARM, "silent": _ALARM}
_PROCESS = {"ready": "", "gave up": _ALARM, "backing off": _CAUTION, "stopped": _CAUTION}
_S = 1_000_000_000
_BAR = 12
_WIDTH = 80
_GAP = 2
_NARROW = 8
_SMALL = 10
_PASSING = ("starting", "stopping")  # states of a supervisor in which a node may be silent
_NEAR = Decimal("0.5")
_A_TIME = 10**15  # ns; what is less is the number of a report
_TEXT = 70  # signs of a text that fit into a line, indented and broken between words
# Rows that a section has at least where the terminal is low, and its share of what is left.
_ROWS_MIN = 2

type Row = Sequence[str | Text]


def standing_view(found: Standing, height: int | None = None) -> RenderableType:
    """Draw it.

    Parameters
    ----------
    found : Standing
        What the processes said.
    height : int or None
        Lines of the terminal; long lists are cut to fit. None shows all.

    Returns
    -------
    rich renderable
        At most 80 columns wide.
    """
    node = found.answers.get("node") or found.answers.get("guard", {})
    stale = "node" in found.errors
    head = _head(found, node, stale=stale)
    why = _why(found, node)
    foot = _processes(found)
    sections = [
        _positions(node),
        _orders(node),
        _limits(node, found.answers.get("guard", {})),
        _venues(node),
        _decisions(node),
    ]
    wanted = [len(rows) for _, rows in sections]
    if height is not None:
        taken = len(head) + sum(1 + len(each) // _TEXT for each in why) + 1 + _lines(foot)
        # Each section has a blank line, its header, and a line that says what was cut.
        wanted = _fit(wanted, height - taken - 3 * sum(1 for each in wanted if each))
    style = _QUIET if stale else ""
    drawn: list[RenderableType] = [*head, *(Padding(each, (0, 0, 0, 2)) for each in why)]
    for (header, rows), count in zip(sections, wanted, strict=True):
        if rows:
            drawn += [Text(""), _table(header, rows, count, style)]
            if count < len(rows):
                drawn.append(Text(f"and {len(rows) - count} more", _QUIET))
    return Group(*drawn, Text(""), *foot)


def _head(found: Standing, node: Mapping[str, Any], *, stale: bool) -> list[RenderableType]:
    supervisor = found.answers.get("supervisor", {}).get("state")
    health = str(node.get("health", "unknown"))
    if stale and not found.answers:
        health = "not_running"
    elif stale:
        health = supervisor if supervisor in _PASSING else "silent"
    elif node.get("state") == "halted":
        health = "halted"
    word = health.upper().replace("_", " ")
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    style = _HEALTH.get(health, _CAUTION)
    left = Text.assemble((_fund(found, node), _OURS), "  ", (f" {word} ", style))
    state = node.get("state")
    if state not in (None, "active", "halted") and not stale:
        left.append(f"  {str(state).replace('_', '-')}", _CAUTION)
    line.add_row(left, Text(f"{_clock(found.now_ns, date=True)} UTC"))
    if "equity" not in node:
        return [line]
    currency = str(node.get("currency", ""))
    figures = Text.assemble(
        (f"equity {currency} {_number(node.get('equity'))}", _OURS),
        "   day ",
        _signed(node.get("day_pnl")),
        f"   cash {_number(node.get('cash'))}",
    )
    if stale:
        age = _age(found.now_ns - found.node_ns)
        whose = f"as of {age} ago" if "node" in found.answers else "as the guard has it"
        figures = Text(f"{figures.plain}   {whose}", _QUIET)
    return [line, figures]


def _fund(found: Standing, node: Mapping[str, Any]) -> str:
    """Name the fund; until its node does, by its folder."""
    folder = found.answers.get("supervisor", {}).get("folder")
    return str(node.get("fund") or (Path(folder).parent.name if folder else "") or "fund")


def _why(found: Standing, node: Mapping[str, Any]) -> list[Text]:
    guard = found.answers.get("guard", {})
    lines = [Text(str(each)) for each in node.get("why") or [] if node is not guard]
    level, lease = guard.get("level", "watch"), guard.get("lease", "given")
    if level != "watch" or lease not in ("given", ""):
        said = [*map(str, guard.get("why") or [])]
        if waits := guard.get("waits_for"):
            said.append(f"waits until {waits}")
        head = level if level != "watch" else f"permission {lease}"
        style = _ALARM if level in ("halt", "flatten") else _CAUTION
        text = Text.assemble("the guard: ", (f" {head} ", style), " ", "; ".join(said))
        lines.insert(0, text)
    supervisor = found.answers.get("supervisor", {}).get("state")
    if "node" in found.errors and supervisor not in _PASSING:  # then it is on its way
        lines.insert(0, Text(found.errors["node"]))
    elif "halted" in (node.get("health"), node.get("state")) and found.order is None:
        lines.append(Text("nothing new is sent until qv resume"))
    if found.order is not None:
        by = found.order.get("by", "somebody")
        lines.append(Text(f"an order to halt, by {by}, lies there until qv resume", _CAUTION))
    return lines


def _positions(node: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (
            str(each.get("instrument")),
            str(each.get("sleeve", "")),
            _number(each.get("quantity"), exact=True),
            _number(each.get("mark"), exact=True),
            _number(each.get("value")),
            _signed(each.get("pnl")),
        )
        for each in node.get("positions") or []
    ]
    header = ("Positions", "sleeve", "quantity", "mark", "value", "P&L")
    if all(each.get("pnl") is None for each in node.get("positions") or []):
        return header[:-1], [each[:-1] for each in rows]
    return header, rows


def _orders(node: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (
            str(each.get("instrument")),
            f"{each.get('side')} {each.get('type', '')}".strip(),
            _number(each.get("quantity"), exact=True),
            _number(each.get("filled"), exact=True),
            _number(each.get("limit"), exact=True),
            str(each.get("status")).replace("_", " "),
            _age(each.get("age_ns")),
        )
        for each in node.get("orders") or []
    ]
    return ("Orders", "", "quantity", "filled", "limit", "status", "age"), rows


def _limits(node: Mapping[str, Any], guard: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Those of the node, and of the guard's many those that are near."""
    own = [] if node is guard else node.get("limits") or []
    every = [(str(each.get("name")), each) for each in own]
    every += [(f"guard: {each.get('name')}", each) for each in guard.get("limits") or []]
    rows: list[Row] = []
    for name, each in every:
        used, limit = _decimal(each.get("used")), _decimal(each.get("limit"))
        share = abs(used / limit) if used is not None and limit else None
        if name.startswith("guard: ") and (share is None or share < _NEAR):
            continue
        rows.append(
            (
                name,
                *_figures(used, limit),
                _gauge(share),
            )
        )
    return ("Limits", "used", "limit", "share"), rows


def _venues(node: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    now = node.get("now")
    rows: list[Row] = []
    for each in node.get("venues") or []:
        last = each.get("last_report")
        timed = isinstance(now, int) and isinstance(last, int) and last > _A_TIME
        rows.append(
            (
                str(each.get("id")),
                _link(each),
                _age(now - last) if timed else _number(last, exact=True),
                _ms(each.get("clock_offset_ns"), sign=True),
                _ms(each.get("lag_ns")),
            )
        )
    return ("Venues", "", "last report", "clock", "lag"), rows


def _link(venue: Mapping[str, Any]) -> Text:
    """Say whether a venue is connected, and what is on the account that is not the fund's."""
    if not venue.get("connected"):
        return Text("not connected", _CAUTION)
    besides = [str(each["currency"]) for each in venue.get("besides") or []]
    return Text("connected" + (f", not ours: {', '.join(besides)}" if besides else ""))


def _decisions(node: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (_clock(each.get("ts")), str(each.get("text")))
        for each in reversed(node.get("decisions") or [])
    ]
    return ("Lately", ""), rows


def _processes(found: Standing) -> list[RenderableType]:
    rows: list[Row] = []
    for each in (found.answers.get("supervisor") or {}).get("processes", []):
        name, state = str(each.get("name")), str(each.get("state"))
        if name in found.errors and state == "ready":
            state = "silent"
        style = _ALARM if state == "silent" else _PROCESS.get(state, _QUIET)
        restarts = each.get("restarts") or 0
        told = f"{restarts} restarts" if restarts != 1 else "1 restart"
        last = str(each.get("ended") or "")
        for_s = each.get("for_s")
        rows.append(
            (
                name,
                Text(state, style),
                _age(None if for_s is None else int(for_s * _S)),
                str(each.get("pid") or NONE),
                "; last it ".join(filter(None, (told if restarts else "", last))),
            )
        )
    drawn: list[RenderableType] = []
    if rows:
        drawn.append(_table(("Processes", "", "for", "pid", ""), rows, len(rows), ""))
    else:
        for name in ("guard", "supervisor"):
            if name in found.errors:
                drawn.append(Text(f"the {name} does not answer", _CAUTION))
    node = found.answers.get("node", {})
    journal, counts = node.get("journal") or {}, node.get("counts") or {}
    if journal:
        head = str(journal.get("head", ""))[:8]
        size = f", {_bytes(journal['bytes'])}" if "bytes" in journal else ""
        text = f"{_count(journal.get('sequence'))} records{size}"
        totals = ", ".join(f"{_count(counts[name])} {name}" for name in sorted(counts))
        drawn += [
            Text(f"journal {text}, head {head}", _QUIET),
            Text(f"this process: {totals}", _QUIET),
        ]
    return drawn


# -- tables ----------------------------------------------------------------------------------
def _table(header: Row, rows: Sequence[Row], count: int, style: str) -> Table:
    """Words at the left, numbers at the right.

    Where it is too wide, the widest words get shorter. Numbers are whole or they mislead.
    """
    grid = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False, row_styles=[style]
    )
    cells = [[each if isinstance(each, Text) else Text(each) for each in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    words = {0} | {
        index for row in cells for index, each in enumerate(row) if each.plain[:1].isalpha()
    }
    shrinks = max(words, key=lambda index: widths[index])
    others = sum(widths) - widths[shrinks] + _GAP * (len(header) - 1)
    room = max(_NARROW, _WIDTH - others)
    for index, name in enumerate(header):
        grid.add_column(
            Text(str(name), _OURS if index == 0 else _QUIET),
            justify="left" if index in words else "right",
            no_wrap=True,
            overflow="ellipsis",
            width=min(widths[index], room) if index == shrinks else widths[index],
        )
    for row in cells[:count]:
        grid.add_row(*row)
    return grid


def _fit(wanted: Sequence[int], room: int) -> list[int]:
    """Share lines out: a few to each that wants them, then one by one from the top."""
    given = [min(_ROWS_MIN, each) for each in wanted]
    left = room - sum(given)
    while left > 0 and any(have < want for have, want in zip(given, wanted, strict=True)):
        for index, want in enumerate(wanted):
            if given[index] < want and left > 0:
                given[index] += 1
                left -= 1
    return given


def _lines(foot: Iterable[RenderableType]) -> int:
    return sum(each.row_count + 1 if isinstance(each, Table) else 1 for each in foot)


# -- figures ---------------------------------------------------------------------------------
def _decimal(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _number(value: object, *, exact: bool = False) -> str:
    """Write a number; money with two decimals, quantities and prices with those they have."""
    found = _decimal(value)
    if found is None:
        return NONE
    text = f"{found:,f}" if exact else f"{found:,.2f}"
    return text.replace("-", MINUS)


def _figures(used: Decimal | None, limit: Decimal | None) -> tuple[str, str]:
    """Write a figure and its limit alike: counts whole, money with two decimals."""
    known = [each for each in (used, limit) if each is not None]
    if all(each.as_tuple().exponent == 0 for each in known):
        return _number(used, exact=True), _number(limit, exact=True)
    if limit is not None and abs(limit) >= _SMALL:
        return _number(used), _number(limit)
    return _figure(used), _figure(limit)


def _figure(value: Decimal | None) -> str:
    """Write a figure of any size: small ones are shares or rates, large ones money or counts."""
    if value is None or abs(value) >= _SMALL:
        return _number(value)
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-", MINUS)


def _signed(value: object) -> Text:
    found = _decimal(value)
    if found is None:
        return Text(NONE)
    text = _number(value)
    if found > 0:
        return Text(f"+{text}", _GAIN)
    return Text(text, _LOSS if found < 0 else "")


def _gauge(share: Decimal | None) -> Text:
    if share is None:
        return Text(NONE)
    filled = min(_BAR, int(share * _BAR))
    style = _CAUTION if share >= Decimal("0.9") else ""
    return Text.assemble(
        ("━" * filled, style or _GAIN),
        ("─" * (_BAR - filled), _QUIET),
        (f" {int(share * 100):>3} %", style),
    )


def _ms(value: object, *, sign: bool = False) -> str:
    if not isinstance(value, int):
        return NONE
    text = f"{value / 1e6:+,.1f}" if sign else f"{value / 1e6:,.1f}"
    return f"{text.replace('-', MINUS)} ms"


def _age(value: object) -> str:
    if not isinstance(value, int):
        return NONE
    seconds = max(0, value) / _S
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _clock(value: object, *, date: bool = False) -> str:
    if not isinstance(value, int):
        return NONE
    when = datetime.fromtimestamp(value // _S, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}" if date else f"{when:%H:%M:%S}"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else NONE


def _bytes(value: object) -> str:
    if not isinstance(value, int):
        return NONE
    return f"{value / 1e6:,.1f} MB" if value >= 1_000_000 else f"{value / 1e3:,.1f} kB"
