"""What every connection shares: byte streams, timers, ticks, fairness, stalls."""
