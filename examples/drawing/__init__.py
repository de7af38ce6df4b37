"""Draws handwritten digits as pen strokes on paper, with known truth; seeded, so that a seed is a scan.

```
strokes ─ hand ─▶ Writing (ink, boxes) ─ paper, scenes ─▶ DrawnField, DrawnPage ─ files ─▶ bytes
```
"""

__all__ = ["files", "hand", "paper", "scans", "scenes", "strokes"]
