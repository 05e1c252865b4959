"""Whatever is wrong with a fund file is said in words, with its line."""

from pathlib import Path

import pytest

from quantvista.errors import ConfigError
from quantvista.fund import load_fund, template_path

DEMO = template_path("demo").read_text()


def _refusal(tmp_path: Path, content: str | bytes) -> str:
    path = tmp_path / "fund.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        load_fund(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight_max =", "wieght_max =", "`risk.wieght_max` is unknown; did you mean `weight_max`"),
        ("[risk]", "[rsik]", "`rsik` is unknown; did you mean `risk`?"),
        ("[risk]", "[zzz]", "`zzz` is unknown; known: version, fund, data"),
        ("seed = 7", "seed = 7\nxyz = 1", "fund.toml:12: `fund.xyz` is unknown; known: name"),
        ('id = "trend"', 'name = "trend"', "`sleeve[0].id` is required"),
        ('name = "demo"', "", "`fund.name` is required"),
        ("[fund]", "[fund.x]", "`fund.name` is required"),
        ('name = "demo"', 'name = "My Fund"', "`fund.name` must be written like my-fund; found"),
        ('name = "demo"', "name = 7", "`fund.name` must be a valid string; found 7"),
        ('"1000000.00"', '"1000000.001"', "`fund.cash` must have at most 2 decimals, the minor"),
        ('"1000000.00"', '"-1"', "`fund.cash` must be greater than 0; found '-1'"),
        ('"1000000.00"', '"NaN"', "`fund.cash` must be finite; found 'NaN'"),
        ('"1000000.00"', '"1,000"', "`fund.cash` must be a decimal number; found '1,000'"),
        ('"1000000.00"', '"\N{FULLWIDTH DIGIT ONE}00"', "`fund.cash` must be a decimal number"),
        ('"1000000.00"', '"1e999999999"', "`fund.cash` must be a number of ordinary size"),
        ('"1000000.00"', "true", "`fund.cash` must be a decimal number; found True"),
        ('"1000000.00"', "inf", "`fund.cash` must be finite"),
        (
            'currency = "USD"',
            'currency = "usd"',
            "fund.toml:7: `fund.currency` must be an ISO 4217 code such as USD, a coin such "
            "as BTC, or in fund.currencies; found 'usd'; did you mean USD?",
        ),
        ('currency = "USD"', 'currency = "XYZ"', "found 'XYZ'"),
        ("seed = 7", "seed = -1", "`fund.seed` must be greater than or equal to 0; found -1"),
        ("seed = 7", 'seed = "7"', "`fund.seed` must be a valid integer; found '7'"),
        ("seed = 7", "seed = true", "`fund.seed` must be a valid integer; found True"),
        ('"America/New_York"', '"Mars/Olympus"', "`fund.time_zone` must be an IANA time zone"),
        *(
            ('"America/New_York"', f'"{zone}"', "`fund.time_zone` must be an IANA time zone")
            for zone in ("localtime", "Factory", "posix/Europe/Paris", "right/Europe/Paris")
        ),
        (
            'strategy = "trend"',
            'strategy = "m\\u0000.py:S"',
            "must be a name or a file and a class",
        ),
        ('"America/New_York"', '"America"', "`fund.time_zone` must be an IANA time zone"),
        ('"America/New_York"', '"../../etc/passwd"', "`fund.time_zone` must be an IANA time zone"),
        ("version = 1", "version = 2", "fund.toml:3: `version` must be 1; found 2"),
        ("share = 0.5", "share = 0.4", "`sleeve.share` must add up to 1; found 0.8 (trend 0.4"),
        ("share = 0.5", "share = 0", "`sleeve[0].share` must be greater than 0"),
        ("share = 0.5", "share = 1.5", "`sleeve[0].share` must be less than or equal to 1"),
        ("share = 0.5", "share = 0.1234567891", "`sleeve[0].share` must have at most 9 decimals"),
        ('id = "momentum"', 'id = "trend"', "`sleeve.id` must be unique; found 'trend' twice"),
        ('strategy = "trend"', "strategy = 7", "`sleeve[0].strategy` must be a name"),
        ('strategy = "trend"', 'strategy = ""', "`sleeve[0].strategy` must not be empty"),
        ("{ lookback = 252 }", "7", "`sleeve[0].params` must be a table; found 7"),
        ('"inverse_volatility"', '"kelly"', "must be 'inverse_volatility' or 'equal'"),
        ('"month_end"', '"monthly"', "`portfolio.rebalance` must be 'daily', 'week_end'"),
        ("volatility_window = 63", "volatility_window = 1", "greater than or equal to 2; found 1"),
        ("price_band = 0.15", "price_band = 1", "`risk.price_band` must be less than 1; found 1"),
        ("weight_max = 0.15", "weight_max = 15", "`risk.weight_max` must be less than or equal"),
        ('kind = "simulated"', 'kind = "live"', "`venue[0].kind` must be 'simulated' or 'paper'"),
        ('fee_bps = "1"', 'fee_bps = "0.000001"', "`venue[0].fee_bps` must have at most 5 dec"),
        ('fee_bps = "1"', 'fee_bps = "-1"', "`venue[0].fee_bps` must be greater than or equal"),
        ('fee_bps = "1"', 'fee_bps = "10000"', "`venue[0].fee_bps` must be less than 10000"),
        ("[[venue]]", "[[venue]]\n[[venue]]", "`venue.id` must be unique; found 'sim' twice"),
        ("[[venue]]", "[venue]", "`venue` must be tables, written [[venue]]"),
        ('"SP500.INDEX"', '"spx"', "`data.benchmark` must be written like AAPL.XNAS"),
        ('"SP500.INDEX"', '"S.X"\ninstruments = []', "must have at least 1 item; found []"),
        ('"SP500.INDEX"', '"S.X"\ninstruments = "A.X"', "`data.instruments` must be a list"),
        ('"SP500.INDEX"', '"S.X"\nstart = "1/2/20"', "`data.start` must be an ISO date"),
        ('"SP500.INDEX"', '"S.X"\nstart = 2020-01-01T00:00:00Z', "must be an ISO date"),
        (
            '"SP500.INDEX"',
            '"S.X"\nstart = 2020-01-02\nend = 2020-01-01',
            "`data.start` must not be after `data.end`",
        ),
        ('"sample:sp500"', '""', "`data.source` must have at least 1 character"),
        ('"sample:sp500"', "[1]", "`data.source` must be a valid string"),
        ("[data]", "[[data]]", "`data` must be a table"),
    ],
)
def test_wrong_value_is_named_with_its_rule(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in DEMO
    found = _refusal(tmp_path, DEMO.replace(old, new, 1))
    if old == "share = 0.5" and new == "share = 0.4":
        found = _refusal(tmp_path, DEMO.replace(old, new))
    assert message in found
    assert found.startswith("fund.toml")
    assert "validation error" not in found


@pytest.mark.parametrize("section", ["execution", "models", "schedule", "service", "bus", "alerts"])
def test_later_section_is_not_yet_available(tmp_path: Path, section: str) -> None:
    found = _refusal(tmp_path, DEMO + f"\n[{section}]\n")
    line = DEMO.count("\n") + 2
    assert found == f"fund.toml:{line}: `[{section}]` is not yet available; remove the section"


def test_every_problem_has_its_own_line(tmp_path: Path) -> None:
    text = DEMO.replace("seed = 7", "seed = 7.5").replace("weight_max = 0.15", "weight_max = 2")
    found = _refusal(tmp_path, text).splitlines()
    assert len(found) == 2
    assert found[0].startswith("fund.toml:11: `fund.seed`")
    assert found[1].startswith("fund.toml:36: `risk.weight_max`")


@pytest.mark.parametrize(("old", "new"), [("share = 0.5", "shar = 1"), ("kind = ", "kinnd = ")])
def test_table_that_is_wrong_inside_is_not_missing_too(tmp_path: Path, old: str, new: str) -> None:
    text = _refusal(tmp_path, DEMO.replace(old, new))
    assert "is unknown; did you mean" in text
    assert "at least" not in text
    assert "exactly once" not in text


def test_second_sleeve_is_found_at_its_own_line(tmp_path: Path) -> None:
    text = DEMO.replace('strategy = "momentum"', "strategy = 7")
    assert _refusal(tmp_path, text).startswith("fund.toml:25: `sleeve[1].strategy`")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "fund.toml: `fund` is required"),
        (b"[fund", "fund.toml: not valid TOML: Expected"),
        (b"a = 1\na = 2\n", "fund.toml:2: not valid TOML: Cannot overwrite a value"),
        (b"name\n", "fund.toml:1: not valid TOML"),
        (b'x = "\n', "fund.toml:1: not valid TOML"),
        (b"\xff\xfe", "fund.toml:1: must be UTF-8 text; found byte 0xff"),
        (b"# ok\n\xe9 = 1\n", "fund.toml:2: must be UTF-8 text; found byte 0xe9"),
        (b"\x00", "fund.toml:1: not valid TOML"),
        (b"PK\x03\x04", "fund.toml:1: not valid TOML"),
        (b"x = " + b"[" * 10_000, "fund.toml"),
        (b"x = 1" + b"0" * 5000, "fund.toml"),
        (b"#" * (2 << 20), "must be a TOML file below 1 MB"),
        (b"fund = 1\ndata = 2\nsleeve = 3\n", "fund.toml:1: `fund` must be a table; found 1"),
    ],
)
def test_file_that_is_no_fund_raises(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in _refusal(tmp_path, content)


def test_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "fund.toml"
    path.write_bytes(b"\xef\xbb\xbf" + DEMO.encode())
    assert load_fund(path).fund.fund.name == "demo"


def test_folder_is_refused_and_what_is_in_it_suggested(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`fund` must be a file; found the folder"):
        load_fund(tmp_path)
    (tmp_path / "fund.toml").write_text(DEMO)
    with pytest.raises(ConfigError, match=r"did you mean .*/fund\.toml\?"):
        load_fund(tmp_path)


def test_missing_file_suggests_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`qv init` makes one"):
        load_fund(tmp_path / "fund.toml")
    (tmp_path / "fund.toml").write_text(DEMO)
    with pytest.raises(ConfigError, match=r"did you mean .*fund\.toml"):
        load_fund(tmp_path / "fnud.toml")


def test_failing_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fund.toml"
    path.write_text(DEMO)

    def refuse(*_args: object, **_keywords: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="`fund` must be readable; found permission denied"):
        load_fund(path)


@pytest.mark.parametrize("source", [None, 7, ["fund.toml"]])
def test_source_of_another_type_raises(source: object) -> None:
    with pytest.raises(ConfigError, match="`fund` must be a path, a mapping or a Fund"):
        load_fund(source)  # type: ignore[arg-type]


def test_path_with_a_nul_raises() -> None:
    with pytest.raises(ConfigError, match="`fund` must be a path"):
        load_fund("a\0b")


def test_mapping_is_explained_without_a_file() -> None:
    with pytest.raises(ConfigError, match=r"^`fund` is required\n`data` is required"):
        load_fund({})


def test_minor_unit_follows_the_currency() -> None:
    fund = {"name": "yen", "currency": "JPY", "cash": "1000.5"}
    with pytest.raises(ConfigError, match="at most 0 decimals, the minor unit of JPY"):
        load_fund({"fund": fund, "data": {"source": "p"}, "sleeve": []})


@pytest.mark.parametrize(
    ("key", "message"), [("venue", "1 to 64 times; found 0"), ("sleeve", "at")]
)
def test_empty_list_of_tables_raises(key: str, message: str) -> None:
    content = {
        "fund": {"name": "tiny", "cash": "1.00"},
        "data": {"source": "p"},
        "sleeve": [{"id": "all", "strategy": "trend"}],
    }
    with pytest.raises(ConfigError, match=f"`{key}` must .*{message}"):
        load_fund({**content, key: []})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            'instruments = ["AAPL"]',
            "fund.toml:6: `data.instruments` must be written like AAPL.XNAS; found 'AAPL'; "
            'set data.venue = "XNAS" to append a venue to bare symbols',
        ),
        (
            'sectors = { A = "x", B = "x", "C.X" = "x", D = "x", "e.x" = "x" }',
            "fund.toml:6: `data.sectors` must be written like AAPL.XNAS; "
            "found 'A', 'B', 'D' and 1 more",
        ),
        (
            'venue = "X"\nsectors = { A = "x", "A.X" = "y" }',
            "fund.toml:7: `data.sectors` must name each instrument once; found 'A' with X and "
            "without",
        ),
        (
            "start = 2005-13-03",
            "fund.toml:6: `start` must be an ISO date such as 2024-01-31; found ",
        ),
        ("end = 1/2/05 # x", "fund.toml:6: `end` must be an ISO date such as 2024-01-31; found 1/"),
    ],
)
def test_data_section_is_refused_in_one_line(tmp_path: Path, data: str, message: str) -> None:
    content = (
        '[fund]\nname = "tiny"\ncash = "1.00"\n[data]\nsource = "p.csv"\n'
        f'{data}\n[[sleeve]]\nid = "all"\nstrategy = "trend"\n'
    )
    refusal = _refusal(tmp_path, content)
    assert refusal.startswith(message)
    assert refusal.count("\n") == 0
