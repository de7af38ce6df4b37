"""What Tallyscan reads when nobody has scans at hand: drawn by `examples.draw`, read by `examples.demo`."""

__all__: list[str] = []
