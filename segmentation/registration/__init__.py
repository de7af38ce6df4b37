"""Registration: lays a page that was scanned or photographed over the pixels of its template."""

__all__: list[str] = []
