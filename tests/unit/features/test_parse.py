"""Expressions: what they mean, and what is said of those that mean nothing."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.errors import ConfigError
from quantvista.features import Call, Column, Node, Number, canonical, parse

SAME = {
    "mean(close, 20)": "mean(20)",
    "mean(close, 20) / std(close, 20)": "mean(20)/std(n=20)",
    "rank(returns(close, 252) - returns(close, 21))": "rank(returns(252) - returns(21))",
    "atr(high, low, close, 14)": "atr(14)",
    "a - (b - c)": "a-(b-c)",
    "a - b - c": "(a-b)-c",
    "a * (b + c)": "a*(c*0+b+c)",
    "where(close > open, 1, 0)": "1 if close > open else 0",
    "-close": "-(close)",
    "(-close) ** 2": "(-close)**2",
    "a ** b ** c": "a**(b**c)",
    "not a > b": "not (a > b)",
    "a > b and b > c": "a > b > c",
    "not a == b": "a != b",
    "quantile(close, 20, 0.5)": "quantile(close, q=0.5, n=4*5)",
    "a > b and c > d or a > d": "((a > b) & (c > d)) | (a > d)",
}
del SAME["a * (b + c)"]  # sums are not rearranged: that would change the last bit


@pytest.mark.parametrize(("one", "other"), SAME.items())
def test_spellings_of_one_expression_are_the_same(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert canonical(parse(other)) == one


def nodes() -> st.SearchStrategy[Node]:
    leaves: st.SearchStrategy[Node] = st.sampled_from(["close", "open", "macro.vix"]).map(Column)
    numbers = st.floats(-1e6, 1e6).map(lambda x: Number(x + 0.0))
    pairs = ("add", "sub", "mul", "div", "power", "gt", "ge", "lt", "le", "eq")

    def extend(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.one_of(
            st.builds(lambda op, a, b: Call(op, (a, b)), st.sampled_from(pairs), inner, inner),
            st.builds(lambda op, a, b: Call(op, (a, b)), st.sampled_from(pairs), inner, numbers),
            st.builds(lambda a: Call("neg", (a,)), inner),
            st.builds(lambda a, n: Call("mean", (a,), (float(n),)), inner, st.integers(1, 99)),
        )

    return st.recursive(leaves, extend, max_leaves=12)


@given(nodes())
def test_canonical_text_reads_back_as_it_was(node: Node) -> None:
    assert parse(canonical(node)) == node


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("meen(close, 20)", "no operator 'meen'; did you mean 'mean'?", 0),
        ("mean(closs, 20)", "no column 'closs'; did you mean 'close'?", 5),
        ("mean(close, 20", "cannot be read", 4),
        ("mean(close, 0)", "`n` from 1", 12),
        ("mean(close, 2.5)", "whole `n`", 12),
        ("mean(close, open)", "a number for `n`", 12),
        ("mean(close, 2, 3)", "as mean(x, n); found 3 arguments", 0),
        ("mean(close)", "found no 'n'", 0),
        ("corr(close, 20)", "found no 'n'", 0),
        ("mean(close, m=3)", "found 'm'", 14),
        ("mean(close, 20, n=3)", "found twice 'n'", 18),
        ("close and open", "a condition", 0),
        ("1 if close else 0", "a condition", 5),
        ("rsi", "call the operator 'rsi' as rsi(x, n)", 0),
        ("close > 'a'", "numbers without quotes", 8),
        ("close[1]", "found subscript", 0),
        ("lambda: 1", "found lambda", 0),
        ("mean(*close)", "starred", 5),
        ("1 / 0", "divide numbers by zero", 0),
        ("close in open", "compare with", 0),
        ("mean(close, n=3, n=4)", "found twice 'n'", 19),
        ("1e999 + close", "finite", 0),
    ],
)
def test_mistake_is_named_and_pointed_at(text: str, message: str, place: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, columns=["open", "close"])
    said = str(caught.value).splitlines()
    assert message in said[0]
    assert said[1].strip() == text
    assert said[2].index("^") - 2 == place


def test_place_counts_characters_not_bytes() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("prix_é + meen(3)")
    said = str(caught.value).splitlines()
    assert said[1][said[2].index("^")] in "pm"


@pytest.mark.parametrize(
    "text", ["", "   ", None, 3, "(" * 300 + "close" + ")" * 300, "x" * 20_000]
)
def test_what_is_no_expression_is_refused(text: object) -> None:
    with pytest.raises(ConfigError, match="expression"):
        parse(text)  # type: ignore[arg-type]


def test_nesting_is_bounded() -> None:
    deep = "close"
    for _ in range(150):
        deep = f"mean({deep}, 2)"
    assert canonical(parse(deep)) == deep
    with pytest.raises(ConfigError, match="nested"):
        parse(f"{'-' * 250}close")


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse(text, columns=["close"])
