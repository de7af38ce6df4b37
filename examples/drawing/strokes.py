"""How each digit is written: the strokes that `model.line.shapes` keeps, where trainings draw from them, too."""

from model.line.shapes import FORMS, Curve, curve_through

__all__ = ["FORMS", "Curve", "curve_through"]
