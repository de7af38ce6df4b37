"""The HTTP interface: a thin Flask application over storage and the queue."""

__all__: list[str] = []
