"""Pixels to candidates: decoding, preparation, field crops, over-segmentation, normalisation."""

__all__: list[str] = []
