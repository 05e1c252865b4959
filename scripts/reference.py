"""Write the reference pages from the code.

They are docs/reference/python.md, features.md, operators.md and checks.md, the help in cli.md,
docs/engine/matrix.md, and the pictures in docs/images/features and docs/images/quality.

Usage: python scripts/reference.py [--check]

With --check nothing is written; the exit code is 1 if a page is not current.
"""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from types import ModuleType

import check_page
import feature_pages
import order_matrix

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"

# What users and later parts rely on, in the order in which a reader needs it.
MODULES = {
    "quantvista": (
        "run",
        "Result",
        "load_fund",
        "Fund",
        "PortfolioStrategy",
        "EventStrategy",
        "Strategy",
        "StrategyParams",
        "Panel",
        "Context",
        "Bar",
        "Quote",
        "Trade",
        "Book",
        "Fill",
        "OrderEvent",
        "Timer",
        "Instrument",
    ),
    "quantvista.errors": (),
    "quantvista.strategies": (
        "Trend",
        "Momentum",
        "EqualWeight",
        "Clock",
        "OrderView",
        "QuoteView",
    ),
    "quantvista.portfolio": (
        "WeightSettings",
        "decide_weights",
        "Decision",
        "weights",
        "trailing_volatility",
        "to_weight_e9",
    ),
    "quantvista.portfolio.metrics": (),
    "quantvista.portfolio.drawdowns": (),
    "quantvista.portfolio.periodic": (),
    "quantvista.portfolio.flows": (),
    "quantvista.portfolio.attribution": ("Contribution", "contribution"),
    "quantvista.data": ("MarketData", "Bias"),
    "quantvista.data.events": ("EventData", "EventSource", "read_actions", "read_factors"),
    "quantvista.market": (
        "sessions",
        "Sessions",
        "currency_digits",
        "CorporateAction",
        "Contracts",
        "RollRule",
        "roll_schedule",
        "continuous",
        "Roll",
        "Continuous",
    ),
    "quantvista.data.quality": (
        "check_bars",
        "check_quotes",
        "check_trades",
        "CheckOptions",
        "Report",
        "repair_rows",
        "Repaired",
    ),
    "quantvista.data.bars": ("aggregate", "BarSpec", "BarOptions", "BarBuilder", "Aggregated"),
    "quantvista.data.universes": (
        "UniverseRules",
        "build_universe",
        "Universe",
        "Membership",
        "read_membership",
    ),
    "quantvista.features": (
        "FeatureSet",
        "FeatureStream",
        "Operator",
        "parse",
        "join",
        "FeatureStore",
        "Feature",
        "time_columns",
    ),
    "quantvista.features.causality": ("Inputs", "check_feature", "check_set", "Finding"),
    "quantvista.journal": (
        "Journal",
        "Reader",
        "verify",
        "Verified",
        "tail",
        "records",
        "Selection",
        "Body",
        "Kind",
        "Kinds",
        "Entry",
        "Note",
        "make_key",
        "read_secret_key",
        "read_public_key",
        "seals_of",
        "require_journal",
        "key_ring",
        "ring_of",
    ),
    "quantvista.journal.encrypting": ("encrypt_journal", "Encrypted"),
    "quantvista.journal.export": (),
    "quantvista.keyring": ("Ring", "make_ring", "add_key", "read_ring", "use_ring"),
    "quantvista.backtest": ("Outcome", "check_fund", "FundFinding"),
    "quantvista.reporting": (),
    "quantvista.trading.gateway": (
        "Gateway",
        "GatewayError",
        "Delivery",
        "ClientOrderId",
        "parse_client_order_id",
        "SubmitOrder",
        "CancelOrder",
        "AmendOrder",
        "Acknowledged",
        "Unknown",
        "Accepted",
        "Rejected",
        "Triggered",
        "Filled",
        "Cancelled",
        "Expired",
        "AmendAccepted",
        "AmendRejected",
        "CancelRejected",
        "Busted",
        "BalanceChanged",
        "QuoteData",
        "TradeData",
        "BarData",
        "BookLevelData",
        "Status",
        "OrderState",
        "Balance",
        "Position",
        "AccountSnapshot",
        "FillPage",
        "Listing",
        "Capabilities",
        "Sequencer",
        "Clock",
        "Transport",
        "TransportError",
        "Channel",
        "ChannelClosedError",
        "Request",
        "Response",
        "encode",
        "decode",
        "to_plain",
        "from_plain",
    ),
    "quantvista.trading.gateway.http": ("HttpTransport", "SystemClock"),
    "quantvista.trading.control": (
        "Place",
        "Process",
        "ApiKey",
        "ask",
        "NotRunningError",
        "NoAnswerError",
        "ControlServer",
        "write_json",
        "read_json",
    ),
    "quantvista.trading.supervisor": (
        "plan",
        "Program",
        "Timing",
        "Supervisor",
        "stop_fund",
        "LogFile",
        "last_lines",
        "unit_file",
    ),
    "quantvista.trading.guard": (
        "Guard",
        "GuardTerms",
        "Seams",
        "NodeHandle",
        "Halts",
        "Other",
        "Level",
        "Finding",
        "Lease",
        "LeaseWriter",
        "FileLease",
        "FileLeaseWriter",
        "NoLease",
    ),
    "quantvista.operations.backup": (
        "make_backup",
        "Backup",
        "Manifest",
        "verify_backup",
        "restore_backup",
        "Restored",
        "make_backup_key",
        "read_backup_key",
    ),
    "quantvista.trading.divergence": (
        "diverge",
        "Divergence",
        "Cause",
        "Side",
        "Matching",
        "Pair",
        "Order",
        "Incident",
    ),
    "quantvista.trading.paper": (
        "PaperGateway",
        "GatewaySettings",
        "Credentials",
        "VenueTerms",
        "PaperAccount",
        "PaperVenue",
        "Endpoint",
        "PaperServer",
        "LocalTransport",
        "Fault",
        "Faults",
        "FlowSource",
        "TapeSource",
        "LiveSource",
        "MemoryStore",
        "SQLiteStore",
    ),
}
COMMANDS = (
    *("", "init", "run", "replay", "explain", "report", "compare", "schema"),
    *("validate", "doctor", "version"),
    *(
        "data",
        "data import",
        "data list",
        "data show",
        "data history",
        "data compact",
        "data encrypt",
    ),
    *(
        "data check",
        "data repair",
        "data universe",
        "data bars",
        "features list",
        "features show",
        "features compute",
    ),
    *("features plot", "features store add", "features store list", "check"),
    *("journal verify", "journal tail", "journal show", "journal export", "journal seal"),
    *("up", "down", "status", "logs", "halt", "reduce", "resume", "flatten"),
    "divergence",
    "drill",
    *("backup", "backup key", "backup verify", "restore"),
    *("keys make", "keys rotate", "keys show", "journal encrypt"),
    *("journal key", "paper serve", "paper key", "paper status", "paper fault", "paper pay"),
)

_INTRO = """\
# Python

Made from the docstrings by `scripts/reference.py`; their examples run in the tests.
`import quantvista as qv` has the names of the first section; the others come from the module that
heads theirs. Names that begin with `_`, and modules that are not here, may change without notice.
"""


def main() -> int:
    """Write the pages, or compare them."""
    check = sys.argv[1:] == ["--check"]
    cli = PAGES / "cli.md"
    pages = {
        PAGES / "python.md": python_page(),
        cli: with_help(cli.read_text("utf-8")),
        ROOT / "docs" / "engine" / "matrix.md": order_matrix.page(),
        **feature_pages.pages(),
        **check_page.pages(),
    }
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[path], "utf-8", newline="\n")
        sys.stdout.write(f"{'not current' if check else 'wrote'}: {path.relative_to(ROOT)}\n")
    return int(check and bool(stale))


# -- command line ----------------------------------------------------------------------------
def with_help(page: str) -> str:
    """Replace the block below each ``<!-- qv COMMAND --help -->`` by what the command says."""
    for command in COMMANDS:
        mark = f"<!-- {' '.join(filter(None, ('qv', command, '--help')))} -->"
        block = f"{mark}\n```text\n{help_of(command)}\n```"
        pattern = re.escape(mark) + r"\n```text\n.*?```"
        found = re.findall(pattern, page, re.DOTALL)
        if len(found) != 1:
            raise SystemExit(f"cli.md must have {mark} with a text block once; found {len(found)}")
        page = page.replace(found[0], block)
    return page


def help_of(command: str) -> str:
    """Help of a command at 80 columns, without colour."""
    words = [sys.executable, "-m", "quantvista", *command.split(), "--help"]
    found = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "PYTHONPATH": str(ROOT / "src")},
    )
    return "\n".join(line.rstrip() for line in found.stdout.strip().splitlines())


# -- docstrings ------------------------------------------------------------------------------
def python_page() -> str:
    """All modules of ``MODULES``."""
    parts = [_INTRO]
    for name, chosen in MODULES.items():
        module = import_module(name)
        doc = inspect.getdoc(module) or ""
        parts += [f"## {name}\n", markdown(without_examples(doc))]
        for each in chosen or module.__all__:
            parts.append(entry(module, each))
    text = "\n".join(part.rstrip() + "\n" for part in parts if part.strip())
    return re.sub(r"\n{3,}", "\n\n", text)


def entry(module: ModuleType, name: str) -> str:
    """One public name: signature, docstring, and the members of a class."""
    value = getattr(module, name)
    doc = inspect.getdoc(value) or ""
    if not inspect.isclass(value):
        signature = signature_of(inspect.getsource(value), name)
        return f"### {name}\n\n```python\n{signature}\n```\n\n{markdown(doc)}"
    parts = [f"### {name}\n", f"```python\n{class_line(value)}\n```\n", markdown(doc)]
    for member, what in vars(value).items():
        target = what.fget if isinstance(what, property) else getattr(what, "__func__", what)
        if member.startswith("_") or not inspect.isfunction(target) or not target.__doc__:
            continue
        if target.__module__.startswith("pydantic"):
            continue
        head = member if isinstance(what, property) else signature_of(inspect.getsource(target))
        head = head.removeprefix("def ")
        note = " (property)" if isinstance(what, property) else ""
        text = markdown(inspect.cleandoc(target.__doc__))
        parts.append(f"#### {name}.{member}{note}\n")
        if not note:
            parts.append(f"```python\n{head}\n```\n")
        parts.append(text)
    return "\n".join(part.rstrip() + "\n" for part in parts if part.strip())


def class_line(value: type) -> str:
    """``class Name(Base)``; private bases and those of the language are left out."""
    plain = ("object", "Protocol", "ABC", "Generic", "BaseModel")
    bases = [b.__name__ for b in value.__bases__ if b.__name__ not in plain]
    bases = [name for name in bases if not name.startswith("_")]
    return f"class {value.__name__}({', '.join(bases)})" if bases else f"class {value.__name__}"


def signature_of(source: str, name: str = "") -> str:
    """Signature as it is written in the source, one parameter a line if it is long."""
    node = ast.parse(textwrap.dedent(source)).body[0]
    if not isinstance(node, ast.FunctionDef):
        return name
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    parts = _parameters(re.sub(r"(?<! )=(?! )", " = ", ast.unparse(arguments)))
    line = f"{node.name}({', '.join(parts)}){returns}"
    if len(line) <= 88:
        return line
    return "\n".join([f"{node.name}(", *(f"    {each}," for each in parts), f"){returns}"])


def _parameters(text: str) -> list[str]:
    """Split at the commas that are in no bracket."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def without_examples(doc: str) -> str:
    """Cut the examples of a module, which repeat those of its members."""
    return doc.split("\nExamples\n--------")[0]


def markdown(doc: str) -> str:
    """Turn a NumPy docstring into Markdown: bold headings, lists of parameters, code blocks."""
    doc = re.sub(r"``(.+?)``", r"`\1`", doc, flags=re.DOTALL)
    out: list[str] = []
    section = ""
    lines = doc.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line and set(following) == {"-"} and len(following) >= len(line):
            section = line
            out += ["", f"**{line}**", ""]
        elif line and set(line) == {"-"} and section == lines[number - 1]:
            continue
        elif section in _LISTED:
            out.append(item(line))
        else:
            out.append(line)
    return fenced("\n".join(out)) + "\n"


_LISTED = ("Parameters", "Attributes", "Returns", "Raises")


def item(line: str) -> str:
    """``name : type`` begins an item, its indented text goes below."""
    if not line.strip() or line.startswith(" "):
        return "  " + line.strip() if line.strip() else ""
    name, _, kind = line.partition(" : ")
    return f"- `{name}`: {kind.strip()}  " if kind else f"- `{line.strip()}`  "


def fenced(text: str) -> str:
    """Fence what is indented below ``::``, and examples."""
    text = re.sub(r"^( *)(>>> .*?)(?=\n\s*\n(?! *>>>)|\Z)", _example, text, flags=re.M | re.DOTALL)
    text = re.sub(r"::\n\n((?:    .*(?:\n|\Z)|\n(?=    ))+)", _literal, text)
    return text.replace(" ::", ":")


def _example(found: re.Match[str]) -> str:
    return f"```pycon\n{textwrap.dedent(found[0])}\n```"


def _literal(found: re.Match[str]) -> str:
    return f":\n\n```text\n{textwrap.dedent(found[1]).rstrip()}\n```\n"


if __name__ == "__main__":
    raise SystemExit(main())
