"""Quotes of 500 instruments, two orders resting in every tenth, which the market never reaches."""

from _example import main

if __name__ == "__main__":
    main("venue_speed", "quotes")
