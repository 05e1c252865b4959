"""Changes of levels of one book."""

from _example import main

if __name__ == "__main__":
    main("venue_speed", "levels")
