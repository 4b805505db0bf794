"""Metrics for Prometheus; needs the extra `metrics`.

collector   a server's statistics, as Prometheus scrapes them
page        the page that it scrapes, with a token
"""

from trio_sio.metrics.collector import Collector as Collector
from trio_sio.metrics.page import page as page
