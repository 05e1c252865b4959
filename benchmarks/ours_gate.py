"""Orders through the gate alone: all its checks but value at risk, and the last one refuses."""

from _example import main

if __name__ == "__main__":
    main("gate_speed", "scalar")
