"""QuantVista: research, backtests and proof of every decision."""
