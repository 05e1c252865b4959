"""From forecasts to weights, and from results to what they mean: metrics and attribution."""
