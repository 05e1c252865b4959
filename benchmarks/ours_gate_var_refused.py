"""Orders through the gate alone that value at risk over 1,000 scenarios refuses."""

from _example import main

if __name__ == "__main__":
    main("gate_speed", "value_at_risk_refused")
