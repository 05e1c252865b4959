"""Fundamentals: what a company earns and owns, as it was published, against its price.

Columns, of the last twelve months or at the last balance sheet, in money unless said otherwise:
``shares`` (units), ``net_income``, ``revenue``, ``gross_profit``, ``operating_cash_flow``,
``capex``, ``dividends``, ``equity``, ``assets``, ``debt``, ``cash``, ``current_assets`` and
``current_liabilities``.
`quantvista.features.join` puts them beside bars by when they were known.
"""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_CAP = "(close * shares)"
FEATURES = (
    *table(
        "fundamental",
        "Banz (1981), J. Financial Economics 9(1)",
        ("log_market_cap", f"log({_CAP})", "Log of the market value."),
    ),
    *table(
        "fundamental",
        "Basu (1977), J. Finance 32(3)",
        ("earnings_yield", f"net_income / {_CAP}", "Earnings over market value."),
    ),
    *table(
        "fundamental",
        "Fama and French (1992), J. Finance 47(2)",
        ("book_to_price", f"equity / {_CAP}", "Book over market value of equity."),
    ),
    *table(
        "fundamental",
        "Lakonishok, Shleifer and Vishny (1994), J. Finance 49(5)",
        ("cash_flow_yield", f"operating_cash_flow / {_CAP}", "Cash flow over market value."),
        ("sales_growth", "returns(revenue, 252)", "Change of revenue within 252 bars."),
    ),
    *table(
        "fundamental",
        "Barbee, Mukherji and Raines (1996), Financial Analysts Journal 52(2)",
        ("sales_to_price", f"revenue / {_CAP}", "Revenue over market value."),
    ),
    *table(
        "fundamental",
        "Litzenberger and Ramaswamy (1979), J. Financial Economics 7(2)",
        ("dividend_yield", f"dividends / {_CAP}", "Dividends over market value."),
    ),
    *table(
        "fundamental",
        "Novy-Marx (2013), J. Financial Economics 108(1)",
        ("gross_profitability", "gross_profit / assets", "Gross profit over assets."),
    ),
    *table(
        "fundamental",
        "Hou, Xue and Zhang (2015), Review of Financial Studies 28(3)",
        ("return_on_equity", "net_income / equity", "Earnings over book equity."),
        ("return_on_assets", "net_income / assets", "Earnings over assets."),
    ),
    *table(
        "fundamental",
        "Cooper, Gulen and Schill (2008), J. Finance 63(4)",
        ("asset_growth", "returns(assets, 252)", "Change of assets within 252 bars."),
    ),
    *table(
        "fundamental",
        "Sloan (1996), The Accounting Review 71(3)",
        (
            "accruals",
            "(net_income - operating_cash_flow) / assets",
            "Earnings not backed by cash, over assets.",
        ),
    ),
    *table(
        "fundamental",
        "Bhandari (1988), J. Finance 43(2)",
        ("debt_to_price", f"debt / {_CAP}", "Debt over market value."),
        (
            "free_cash_flow_yield",
            f"(operating_cash_flow - capex) / {_CAP}",
            "Free cash flow over market value.",
        ),
    ),
    *table(
        "fundamental",
        "Loughran and Wellman (2011), J. Financial and Quantitative Analysis 46(6)",
        (
            "enterprise_yield",
            f"net_income / ({_CAP} + debt - cash)",
            "Earnings over enterprise value.",
        ),
    ),
    *table(
        "fundamental",
        "Pontiff and Woodgate (2008), J. Finance 63(2)",
        (
            "net_issuance",
            "log(shares / delay(shares, 252))",
            "Log growth of the number of shares within 252 bars.",
        ),
    ),
    *table(
        "fundamental",
        "Altman (1968), J. Finance 23(4), ratio X1",
        (
            "working_capital",
            "(current_assets - current_liabilities) / assets",
            "Working capital over assets.",
        ),
        ("gross_margin", "gross_profit / revenue", "Gross profit over revenue."),
    ),
)
