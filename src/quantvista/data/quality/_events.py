"""Days on which markets moved so far that a check must not take it for an error."""

from datetime import date

__all__ = ["MARKET_EVENTS"]

MARKET_EVENTS = {
    date(1987, 10, 19): "Black Monday",
    date(1987, 10, 20): "the day after Black Monday",
    date(1987, 10, 26): "aftershock of Black Monday",
    date(1989, 10, 13): "collapse of the UAL buyout",
    date(1997, 10, 27): "Asian crisis",
    date(1998, 8, 31): "Russian default",
    date(2000, 4, 14): "end of the dot-com bubble",
    date(2001, 9, 17): "reopening after 11 September",
    date(2008, 9, 15): "Lehman Brothers",
    date(2008, 9, 29): "the bail-out is voted down",
    date(2008, 10, 13): "rebound of the financial crisis",
    date(2008, 10, 28): "rebound of the financial crisis",
    date(2010, 5, 6): "flash crash",
    date(2011, 8, 8): "downgrade of US debt",
    date(2015, 1, 15): "the Swiss franc is unpegged",
    date(2015, 8, 24): "halts at the open",
    date(2016, 6, 24): "Brexit vote",
    date(2018, 2, 5): "collapse of short volatility",
    date(2020, 3, 9): "Covid crash",
    date(2020, 3, 12): "Covid crash",
    date(2020, 3, 13): "Covid rebound",
    date(2020, 3, 16): "Covid crash",
    date(2020, 3, 24): "Covid rebound",
    date(2020, 4, 20): "oil futures below zero",
    date(2024, 8, 5): "unwinding of carry trades",
}
"""What happened, by the date of the session in New York."""
