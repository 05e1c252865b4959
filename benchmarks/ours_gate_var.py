"""Orders through the gate alone, with value at risk over 1,000 scenarios of 500 instruments."""

from _example import main

if __name__ == "__main__":
    main("gate_speed", "value_at_risk")
