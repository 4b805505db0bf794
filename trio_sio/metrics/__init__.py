"""Metrics for Prometheus; needs the extra `metrics`.

collector   a server's statistics, as Prometheus scrapes them
"""

from trio_sio.metrics.collector import Collector as Collector
