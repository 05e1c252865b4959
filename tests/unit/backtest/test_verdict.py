"""The verdict in every situation, in full: it is what people read."""

from typing import Any

import pytest

from quantvista.backtest._verdict import since_first_fill, verdict

MINUS = "\N{MINUS SIGN}"


def facts(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    metrics = {"cagr": 0.098, "total_return": 0.2, "sharpe": 0.62, "sharpe_se": 0.18}
    found: dict[str, Any] = {
        "status": "complete",
        "error": "",
        "period": {"sessions": 8313, "years": 32.9, "end": "2022-12-28"},
        "metrics": metrics,
        "comparisons": {},
        "counts": {"fills": 10, "rejected": 0},
        "drawdowns": [{"depth": -0.341, "days": 1412, "recovery": "2010-01-04"}],
        "biases": [],
        "trials": None,
    }
    found |= changes
    found["metrics"] = {
        name: {"value": value, "reason": "undefined"} for name, value in found["metrics"].items()
    }
    return found


def compared(cagr: float, **more: str) -> dict[str, Any]:
    return {"metrics": {"cagr": {"value": cagr}, "total_return": {"value": cagr}}, **more}


def test_a_good_run_with_flaws() -> None:
    both = {"benchmark": compared(0.079, id="SP500.INDEX"), "equal_weight": compared(0.121)}
    biases = [{"name": name} for name in ("survivorship", "close_only", "home_made")]
    assert verdict(facts(comparisons=both, biases=biases)) == (
        "Made 9.8 % a year after costs against 7.9 % for SP500.INDEX and 12.1 % for equal weight; "
        f"worst loss {MINUS}34.1 %, recovered after 1,412 days. Believe it with care: the sample "
        "has survivors only, home made, trials not counted, Sharpe 0.62 ± 0.18."
    )


def test_a_good_run_without_known_flaws() -> None:
    assert verdict(facts()).endswith("Worth a closer look: trials not counted, Sharpe 0.62 ± 0.18.")


def test_many_trials_are_named() -> None:
    assert verdict(facts(trials=1)).endswith("Worth a closer look: 1 trial, Sharpe 0.62 ± 0.18.")
    text = verdict(facts(trials=40))
    assert "Believe it with care: 40 trials, not deflated for, Sharpe 0.62" in text


def test_a_loss_that_has_not_ended() -> None:
    metrics = {"cagr": -0.031, "total_return": -0.2, "sharpe": -0.1, "sharpe_se": 0.18}
    worst = [{"depth": -0.5, "days": 1, "recovery": None}]
    assert verdict(facts(metrics=metrics, drawdowns=worst)) == (
        f"Lost 3.1 % a year after costs; worst loss {MINUS}50.0 %, not recovered after 1 day. "
        f"It cannot be told from luck: trials not counted, Sharpe {MINUS}0.10 ± 0.18."
    )


def test_less_than_a_year_is_not_made_into_a_yearly_rate() -> None:
    short = {"sessions": 100, "years": 0.4, "end": "2022-12-28"}
    assert verdict(facts(period=short, drawdowns=[])).startswith(
        "Made 20.0 % in all after costs; it was never below its peak."
    )


@pytest.mark.parametrize(
    ("sessions", "text"),
    [(0, "Too short to judge: 0 sessions."), (1, "Too short to judge: 1 session.")],
)
def test_too_short(sessions: int, text: str) -> None:
    metrics = {"cagr": None, "total_return": None, "sharpe": None, "sharpe_se": None}
    period = {"sessions": sessions, "years": 0.0, "end": None}
    assert verdict(facts(period=period, metrics=metrics)) == text


def test_a_fund_that_never_traded_says_how_often_it_was_stopped() -> None:
    text = verdict(facts(counts={"fills": 0, "rejected": 1200}))
    assert text == "Never traded in 8,313 sessions; 1,200 orders were rejected."


@pytest.mark.parametrize(("status", "word"), [("failed", "Failed"), ("incomplete", "Incomplete")])
def test_what_did_not_end_says_so_first(status: str, word: str) -> None:
    text = verdict(facts(status=status, error="the disk is full."))
    assert text.startswith(f"{word} after 2022-12-28: the disk is full. Made 9.8 %")


def test_a_season_is_too_short_to_believe() -> None:
    period = {"sessions": 60, "years": 0.24, "end": "2022-12-28"}
    metrics = {"cagr": 0.5, "total_return": 0.1, "sharpe": 9.0, "sharpe_se": 1.2}
    assert "Too short to believe: trials not counted" in verdict(
        facts(period=period, metrics=metrics)
    )


def test_a_month_without_a_ratio_is_too_short_to_believe() -> None:
    period = {"sessions": 15, "years": 0.06, "end": "2022-12-28"}
    metrics = {"cagr": None, "total_return": 0.1, "sharpe": None, "sharpe_se": None}
    assert verdict(facts(period=period, metrics=metrics)).endswith("believe: 15 sessions.")


def test_since_the_first_fill() -> None:
    both = {"benchmark": {"id": "SP500.INDEX"}, "equal_weight": {}}
    since = {"date": "1991-02-01", "fund": compared(0.174)["metrics"]}
    since |= {
        name: compared(value)["metrics"] for name, value in zip(both, (0.078, 0.175), strict=True)
    }
    assert since_first_fill(facts(comparisons=both, since_first_fill=since)) == (
        "Since its first fill (1991-02-01): 17.4 % a year, SP500.INDEX 7.8 %, equal weight 17.5 %."
    )
    assert since_first_fill(facts(since_first_fill=None)) == ""


def test_since_the_first_fill_in_a_season_is_not_a_yearly_rate() -> None:
    values = {"cagr": {"value": 0.9}, "total_return": {"value": 0.1}}
    since: dict[str, Any] = {"date": "2022-10-01", "fund": values}
    period = {"sessions": 100, "years": 0.4, "end": "2022-12-28"}
    text = since_first_fill(facts(period=period, since_first_fill=since))
    assert text == "Since its first fill (2022-10-01): 10.0 % in all."
    since["fund"]["total_return"] = {"value": None}
    assert since_first_fill(facts(period=period, since_first_fill=since)) == ""
