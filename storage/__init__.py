"""Tables, repositories, blobs and migrations; no ORM object leaves this package."""

__all__: list[str] = []
