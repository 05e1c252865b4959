"""The verdict: two sentences in plain words that a reader may stop after."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from quantvista.backtest._within import MINUS, lasting, profit_share

__all__ = ["MINUS", "percent", "since_first_fill", "verdict"]

_YEARS_MIN: Final = 1.0  # below that, a ratio "a year" is a guess from a season
# How a known flaw of a sample reads inside a sentence; others go by their name. An empty phrase is
# a flaw that coarsens a result rather than flatters it, and is left to the list of biases.
_PHRASES: Final = {
    "survivorship": "the sample has survivors only",
    "price_index": "the index is without dividends",
    "unknown_origin": "nobody vouches for the data",
    "adjusted_closes": "",
    "close_only": "",
}


def verdict(summary: Mapping[str, Any]) -> str:
    """Say whether it made money, against what, how bad it got and whether to believe it.

    Parameters
    ----------
    summary : mapping
        The summary of a run, all keys but ``verdict``.

    Returns
    -------
    str
        Plain text; percentages with one decimal, a real minus sign.
    """
    parts = [_unfinished(summary), _result(summary), _belief(summary)]
    return " ".join(part for part in parts if part)


def since_first_fill(summary: Mapping[str, Any]) -> str:
    """Compare over the time that the fund was in the market; empty if that is nearly all of it.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    str
        A sentence, percentages with one decimal.
    """
    found = summary["since_first_fill"]
    if found is None:
        return ""
    name, span = ("cagr", "a year")
    if _value(found["fund"], "cagr") is None or summary["period"]["years"] < _YEARS_MIN:
        name, span = ("total_return", "in all")
    ours = _value(found["fund"], name)
    if ours is None:
        return ""
    parts = [f"{percent(ours)} {span}"]
    for key, label in (("benchmark", ""), ("equal_weight", "equal weight")):
        other = _value(found[key], name) if key in found else None
        if other is not None:
            parts.append(f"{label or summary['comparisons'][key]['id']} {percent(other)}")
    return f"Since its first fill ({found['date']}): {', '.join(parts)}."


def percent(value: float) -> str:
    """Write a fraction as a percentage with one decimal and a real minus sign.

    Examples
    --------
    >>> percent(0.3412), percent(-0.3412) == f"{MINUS}34.1 %", percent(-0.0001)
    ('34.1 %', True, '0.0 %')
    """
    text = f"{value * 100:.1f} %"
    return text.replace("-", MINUS) if text != "-0.0 %" else "0.0 %"


def _unfinished(summary: Mapping[str, Any]) -> str:
    if summary["status"] == "complete":
        return ""
    what = "Failed" if summary["status"] == "failed" else "Incomplete"
    end, why = summary["period"]["end"], str(summary.get("error") or "").rstrip(".")
    where = f" after {end}" if end else " before the first session"
    return f"{what}{where}{': ' + why if why else ''}."


def _result(summary: Mapping[str, Any]) -> str:
    period, sessions = summary["period"], summary["period"]["sessions"]
    if "within" in period and summary["counts"]["fills"]:
        return _brief(summary)
    if sessions < 2 and _value(summary["metrics"], "total_return") is None:
        return f"Too short to judge: {sessions:,} {'session' if sessions == 1 else 'sessions'}."
    if summary["counts"]["fills"] == 0:
        refused = summary["counts"]["rejected"]
        why = f"; {refused:,} orders were rejected" if refused else ""
        return f"Never traded in {sessions:,} sessions{why}."
    name, span = ("cagr", "a year") if period["years"] >= 1 else ("total_return", "in all")
    found = _value(summary["metrics"], name)
    if found is None:
        return f"No return to speak of: {summary['metrics'][name]['reason']}."
    verb = "Made" if found >= 0 else "Lost"
    against = _against(summary, name)
    return f"{verb} {percent(abs(found))} {span} after costs{against}; {_worst(summary)}."


def _brief(summary: Mapping[str, Any]) -> str:
    """Say what a run of less than a month made, in money and in a share that can be read."""
    made, total = (
        Decimal(summary["contribution"]["total"]),
        _value(summary["metrics"], "total_return"),
    )
    verb = "Made" if made >= 0 else "Lost"
    share = "" if total is None else f" ({profit_share(abs(total))})"
    money = f"{summary['fund']['currency']} {abs(made):,.2f}"
    against = _against(summary, "total_return")
    took = lasting(summary["period"]["within"]["seconds"])
    return f"{verb} {money}{share} in {took}, after costs{against}; {_worst(summary)}."


def _against(summary: Mapping[str, Any], name: str) -> str:
    others = []
    for key, label in (("benchmark", ""), ("equal_weight", "equal weight")):
        other = summary["comparisons"].get(key)
        found = None if other is None else _value(other["metrics"], name)
        if found is not None:
            share = profit_share(found) if "within" in summary["period"] else percent(found)
            others.append(f"{share} for {label or other['id']}")
    return f" against {' and '.join(others)}" if others else ""


def _worst(summary: Mapping[str, Any]) -> str:
    if not summary["drawdowns"]:
        return "it was never below its peak"
    worst = summary["drawdowns"][0]
    days = f"{worst['days']:,} {'day' if worst['days'] == 1 else 'days'}"
    depth = percent(worst["depth"])
    if "seconds" in worst:
        days, depth = lasting(worst["seconds"]), profit_share(worst["depth"])
    if worst["recovery"] is None:
        return f"worst loss {depth}, not recovered after {days}"
    return f"worst loss {depth}, recovered after {days}"


def _belief(summary: Mapping[str, Any]) -> str:
    ratio = _value(summary["metrics"], "sharpe")
    error = _value(summary["metrics"], "sharpe_se")
    if summary["counts"]["fills"] == 0:
        return ""
    if ratio is None or error is None:
        return _brevity(summary)
    names = [each["name"] for each in summary["biases"]]
    flaws = [_PHRASES.get(name, name.replace("_", " ")) for name in names]
    flaws = [flaw for flaw in flaws if flaw]
    trials = summary["trials"]
    flaws.append("trials not counted" if trials is None else _deflation(trials))
    flaws.append(f"Sharpe {ratio:.2f} ± {error:.2f}".replace("-", MINUS))
    if summary["period"]["years"] < _YEARS_MIN:
        opening = "Too short to believe"
    elif ratio < 2 * error:
        opening = "It cannot be told from luck"
    else:
        doubtful = summary["biases"] or (trials or 0) > 1
        opening = "Believe it with care" if doubtful else "Worth a closer look"
    return f"{opening}: {', '.join(flaws)}."


def _brevity(summary: Mapping[str, Any]) -> str:
    """Say that a result without a ratio comes from too few sessions, where it does."""
    period = summary["period"]
    if period["years"] >= _YEARS_MIN or not _value(summary["metrics"], "total_return"):
        return ""
    if "within" in period:
        made_up = any(each["name"] == "generated" for each in summary["biases"])
        market = " of a generated market" if made_up else ""
        return f"Too short to believe: {lasting(period['within']['seconds'])}{market}."
    sessions = period["sessions"]
    return f"Too short to believe: {sessions:,} {'session' if sessions == 1 else 'sessions'}."


def _deflation(trials: int) -> str:
    return "1 trial" if trials == 1 else f"{trials:,} trials, not deflated for"


def _value(metrics: Mapping[str, Any], name: str) -> float | None:
    found = metrics[name]["value"]
    return None if found is None else float(found)
