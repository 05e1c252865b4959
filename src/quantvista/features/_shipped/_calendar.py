"""Calendar: what is known of a bar from its time alone, in UTC."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "calendar",
        "French (1980), J. Financial Economics 8(1)",
        ("day_of_week", "time.weekday", "Monday is 0, Sunday is 6."),
        ("is_monday", "time.weekday == 0", "1 on Mondays."),
    ),
    *table(
        "calendar",
        "Rozeff and Kinney (1976), J. Financial Economics 3(4)",
        ("month", "time.month", "January is 1."),
        ("is_january", "time.month == 1", "1 in January."),
    ),
    *table(
        "calendar",
        "Lakonishok and Smidt (1988), Review of Financial Studies 1(4)",
        (
            "turn_of_month",
            "time.day <= 3 or time.days_left <= 2",
            "1 within the first three or the last three calendar days of a month.",
        ),
        (
            "month_progress",
            "(time.day - 1) / (time.day + time.days_left)",
            "Share of the month's days that are over.",
        ),
    ),
    *table(
        "calendar",
        "Bouman and Jacobsen (2002), American Economic Review 92(5)",
        ("winter_half", "time.month >= 11 or time.month <= 4", "1 from November to April."),
    ),
    *table(
        "calendar",
        "Admati and Pfleiderer (1988), Review of Financial Studies 1(1)",
        ("hour_sine", "time.hour_sine", "Sine of the time of day; a day is a full turn."),
        (
            "hour_cosine",
            "time.hour_cosine",
            "Its cosine, so that every time has a place of its own.",
        ),
        ("bar_gap_days", "delta(time.days, 1)", "Days since the bar before: 3 after a weekend."),
    ),
)
