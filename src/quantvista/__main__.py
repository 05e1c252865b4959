"""``python -m quantvista`` is ``qv``."""

from quantvista.cli import main

if __name__ == "__main__":
    main()
