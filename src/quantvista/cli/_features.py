"""What ``qv features`` does."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from quantvista.cli._bars import load_bars
from quantvista.cli._load_own import own_operators
from quantvista.cli._print import next_steps, print_json, say, table, write_text
from quantvista.cli._quality import spare, write_table
from quantvista.data.lake import Lake, lake_dir
from quantvista.data.universes import read_membership
from quantvista.errors import ConfigError
from quantvista.features import (
    FEATURES,
    GROUPS,
    FeatureSet,
    FeatureStore,
    operator_infos,
)

__all__ = [
    "add_to_store",
    "compute_features",
    "list_features",
    "list_operators",
    "list_store",
    "plot_features",
    "show_feature",
]


def list_features(group: str | None, *, as_json: bool) -> None:
    """Print shipped features."""
    if group is not None and group not in GROUPS:
        raise ConfigError(f"`--group` must be one of {', '.join(GROUPS)}; found {group!r}")
    chosen = [each for each in FEATURES.values() if group in (None, each.group)]
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "group": each.group,
                    "version": each.version,
                    "expression": each.expression,
                    "text": each.text,
                    "source": each.source,
                }
                for each in chosen
            ]
        )
        return
    for name in GROUPS:
        rows = [each for each in chosen if each.group == name]
        if rows:
            say(f"{name.replace('_', ' ')} ({len(rows)})")
            for each in rows:
                say(f"  {each.name:<26} {each.text}"[:80].rstrip())
    say("")
    say(f"{len(chosen)} features")
    next_steps(["qv features show rsi_14", "qv features list --operators"])


def list_operators(*, as_json: bool) -> None:
    """Print what expressions are made of."""
    infos = operator_infos().values()
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "call": each.signature(),
                    "memory": each.memory,
                    "cross": each.cross,
                    "text": each.doc,
                    "formula": each.formula,
                    "source": each.source,
                }
                for each in infos
            ]
        )
        return
    for each in infos:
        say(f"{each.signature():<34} {each.doc}"[:80].rstrip())


def show_feature(feature: str, *, as_json: bool) -> None:
    """Print one feature, expression or operator."""
    info = operator_infos().get(feature)
    if info is not None and feature not in FEATURES:
        said: dict[str, object] = {
            "operator": info.signature(),
            "text": info.doc,
            "formula": info.formula,
            "source": info.source,
            "memory": info.memory,
            "compares instruments": info.cross,
        }
    else:
        _refuse_unknown(feature)
        made = FeatureSet([feature])
        name = made.names[0]
        said = {"feature": name}
        if feature in FEATURES:
            shipped = FEATURES[feature]
            said |= {
                "group": shipped.group,
                "version": shipped.version,
                "text": shipped.text,
                "source": shipped.source,
                "written": shipped.expression,
            }
        said |= {
            "expression": made.expressions[name],
            "columns": list(made.columns),
            "first value": made.warm_up[name],
            "look-back": made.look_back[name],
            "compares instruments": made.cross,
        }
    if as_json:
        print_json(said)
        return
    for what, value in said.items():
        say(f"{what:<21} {_written(what, value)}")


def _refuse_unknown(name: str) -> None:
    """Refuse a bare name that is no feature; in an expression it would be a column of the data."""
    if name.isidentifier() and name not in FEATURES:
        nearest = get_close_matches(name, [*FEATURES, *operator_infos()], 1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else "`qv features list` has them all"
        raise ConfigError(
            f"`feature` must be a feature, an operator or an expression; found {name!r}; {hint}"
        )


def _written(what: str, value: object) -> str:
    if what == "look-back":
        return "all bars so far" if value is None else f"{value} bars"
    if what == "first value":
        return f"at bar {value}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def named(features: Sequence[str]) -> Mapping[str, str] | Sequence[str]:
    """Read ``NAME=EXPRESSION``; an equals sign of a comparison is none."""
    pairs = {}
    for each in features:
        name, sign, text = each.partition("=")
        plain = sign and name.isidentifier() and not text.startswith("=")
        pairs[name if plain else each] = text if plain else each
    if all(name == text for name, text in pairs.items()):
        return list(features)
    return {
        name: FEATURES[text].expression if text in FEATURES else text
        for name, text in pairs.items()
    }


def compute_features(
    features: Sequence[str],
    source: str,
    output: Path | None,
    columns: Sequence[str],
    operators: Sequence[str],
    lake: Path | None,
    *,
    universe: str | None,
    as_json: bool,
) -> None:
    """Compute, and write or show."""
    spare([source], "--output", [output])
    made = FeatureSet(
        named(features),
        operators=own_operators(operators),
        universe=None if universe is None else read_membership(universe, Path(), lake=lake),
    )
    bars, words, _ = load_bars(source, columns, lake)
    result = made.compute(bars)
    if output is not None:
        write_table(result, output)
    known = {name: result.height - result[name].null_count() for name in made.names}
    longest = int(bars["instrument"].value_counts()["count"].to_numpy().max())
    short = {name: needed for name, needed in made.warm_up.items() if needed > longest}
    if as_json:
        print_json(
            {
                "read": words,
                "rows": result.height,
                "values": known,
                "warm_up": dict(made.warm_up),
                "longest": longest,
                "too_short_for": list(short),
                "output": None if output is None else str(output),
            }
        )
        return
    for what, text in words:
        say(f"{what:<12} {text}")
    say("")
    rows = [
        (name, f"{count:,}", str(made.warm_up[name]), _last(result, name))
        for name, count in known.items()
    ]
    table(("feature", "values", "first at bar", "last value"), rows)
    for name, needed in short.items():
        say(f"{name} has no value: it needs {needed:,} bars, the longest history has {longest:,}.")
    if output is not None:
        say(f"wrote {output}: {result.height:,} rows")
    else:
        next_steps([f"qv features compute ... --input {source} --output features.parquet"])


def _last(result: pl.DataFrame, name: str) -> str:
    values = result[name].drop_nulls()
    return f"{values[-1]:.6g}" if len(values) else "–"  # noqa: RUF001 - how undefined is written


def plot_features(
    features: Sequence[str],
    source: str,
    output: Path,
    instrument: str | None,
    rows: int,
    columns: Sequence[str],
    operators: Sequence[str],
    lake: Path | None,
) -> Path:
    """Draw, and say where."""
    from quantvista.reporting import feature_page

    made = FeatureSet(named(features), operators=own_operators(operators))
    bars, _, _ = load_bars(source, columns, lake)
    names = bars["instrument"].unique().sort().to_list()
    chosen = names[0] if instrument is None else instrument
    if chosen not in names:
        there = ", ".join(names[:10])
        raise ConfigError(f"`--instrument` must be one of the bars: {there}; found {chosen!r}")
    result = made.compute(bars).filter(pl.col("instrument") == chosen).tail(rows)
    closes = bars.filter(pl.col("instrument") == chosen).select("ts", "close")
    write_text(output, feature_page(result.join(closes, on="ts"), made, chosen))
    say(f"wrote {output}")
    return output


def add_to_store(
    name: str,
    features: Sequence[str],
    source: str,
    into: str,
    columns: Sequence[str],
    lake: Path | None,
    *,
    as_json: bool,
) -> None:
    """Compute, and keep."""
    made = FeatureSet(named(features))
    bars, _, _ = load_bars(source, columns, lake)
    dataset = Lake(lake if lake is not None else lake_dir(Path())).dataset(into)
    commit = FeatureStore(dataset).materialise(name, made, bars)
    if as_json:
        print_json({"commit": commit, "name": name, "digest": made.digest, "rows": bars.height})
        return
    say(f"kept {len(made.names)} features as {name} {made.digest[:12]} in {into} ({commit[:12]})")
    next_steps(["qv features store list"])


def list_store(dataset: str, lake: Path | None, *, as_json: bool) -> None:
    """Print what is kept."""
    root = lake if lake is not None else lake_dir(Path())
    versions = FeatureStore(Lake(root).open(dataset)).versions()
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "digest": each.digest,
                    "rows": each.rows,
                    "expressions": dict(each.expressions),
                }
                for each in versions
            ]
        )
        return
    rows = [(v.name, v.digest[:12], str(len(v.expressions)), f"{v.rows:,}") for v in versions]
    table(("set", "version", "features", "rows"), rows)
