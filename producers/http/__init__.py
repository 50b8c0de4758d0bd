"""HTTP as a producer: the routes that take compiler output and feedback in, and the sender behind them."""

from producers.http.delivery import Delivery, LastingSender
from producers.http.limits import Limits
from producers.http.routes import ingest_routes

__all__ = ["Delivery", "LastingSender", "Limits", "ingest_routes"]
