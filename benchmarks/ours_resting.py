"""Market orders that fill at once against a quote, while 100,000 others rest."""

from _example import main

if __name__ == "__main__":
    main("venue_speed", "orders")
