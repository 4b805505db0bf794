"""What the server costs: `python3 -m benchmarks`."""
