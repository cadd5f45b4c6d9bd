"""Token buckets and the limits that Azure documents. Knows neither requests nor a clock: callers say what and when."""
