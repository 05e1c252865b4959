"""Records made durable and encrypted by the crate alone; the size is their number."""

from _example import main

if __name__ == "__main__":
    main("append_speed", "encrypted", package="quantvista-journal")
