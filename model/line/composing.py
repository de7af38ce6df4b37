"""Numbers put together from one hand's digits: lengths, zeros, grouping, marks and tails as on cheques and forms.

Every function takes a seeded generator, so the same seed composes the same numbers.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.random import Generator

from model.line.writing import OTHER, InkCollection, Stroke, Writing

TAILS: Final = {
    "": 0.5, ".": 0.1, ",": 0.05, "-": 0.06, ".-": 0.05, "=": 0.07, "--": 0.02, "/-": 0.08, "/~": 0.05, "/=": 0.02,
}  # fmt: skip
"""What writers add so that nobody can add digits, and how often."""

HEADS: Final = {"": 0.86, "$": 0.03, "-": 0.02, "=": 0.03, "#": 0.02, "*": 0.02, ".": 0.02}

LENGTHS: Final = (0.07, 0.13, 0.17, 0.19, 0.18, 0.12, 0.07, 0.04, 0.03)
"""Shares of numbers of 1, 2, 3… digits."""


def compose(ink: InkCollection, rng: Generator) -> Writing:
    """Return a number in one hand, perhaps with a word beside it."""
    writers = list(ink.digits)
    glyphs = ink.digits[writers[rng.integers(len(writers))]]
    body = number_parts(rng)
    gap, drift = rng.normal(0.1, 0.14), rng.normal(0, 0.02)
    strokes: list[Stroke] = []
    owners: list[int] = []
    x = y = 0.0
    for place, char in enumerate(body):
        marks, advance = _digit(ink, glyphs, char, rng) if char.isdigit() else separator_strokes(char, rng)
        strokes += [mark + np.array([x, y], np.float32) for mark in marks]
        owners += [sum(c.isdigit() for c in body[:place]) if char.isdigit() else -1] * len(marks)
        x += advance + max(-0.2, gap + rng.normal(0, 0.06))
        y += drift
    return Writing("".join(c for c in body if c.isdigit()), "", tuple(strokes), tuple(owners))


def rupee_amount(ink: InkCollection, rng: Generator) -> Writing:
    """Return an amount as on Indian cheques: grouped by lakh and crore, zeros often in one go, a tail to the end."""
    writers = list(ink.digits)
    glyphs = ink.digits[writers[rng.integers(len(writers))]]
    head = "".join(str(d) for d in (rng.integers(1, 10), *rng.integers(0, 10, rng.integers(0, 4))))
    digits = head + "0" * int(rng.choice(7, p=[0.06, 0.06, 0.16, 0.3, 0.16, 0.16, 0.1]))
    mark = str(rng.choice([",", ".", " ", ""], p=[0.5, 0.15, 0.1, 0.25]))
    body = _grouped(digits, mark, [3, 2, 2, 2, 2]) if rng.random() < 0.8 else _grouped(digits, mark, [3] * 4)
    body += str(
        rng.choice(["/-", "/~", "/=", "-", "/", "|", "|~", ""], p=[0.33, 0.28, 0.04, 0.06, 0.05, 0.03, 0.03, 0.18])
    )
    chained = rng.random() < 0.5
    gap, drift = rng.normal(0.12, 0.1), rng.normal(0, 0.012)
    strokes: list[Stroke] = []
    x = y = 0.0
    place = 0
    while place < len(body):
        run = len(body) - len(body[place:].lstrip("0")) - place
        if run > 1 and chained:
            marks, advance = zero_chain(run, rng) if rng.random() < 0.5 else zero_row(run, rng)
            place += run
        elif body[place].isdigit():
            marks, advance = _digit(ink, glyphs, body[place], rng)
            place += 1
        else:
            marks, advance = separator_strokes(body[place], rng)
            place += 1
        strokes += [stroke + np.array([x, y], np.float32) for stroke in marks]
        x += advance + max(-0.15, gap + rng.normal(0, 0.05))
        y += drift
    return Writing(digits, "", tuple(strokes))


def zero_chain(count: int, rng: Generator) -> tuple[list[Stroke], float]:
    """Return zeros written in one go, as a chain of loops (a prolate cycloid), and its width."""
    height, pitch = float(rng.uniform(0.4, 0.95)), float(rng.uniform(0.3, 0.85))
    loop = pitch * float(rng.uniform(0.32, 0.55))
    turns = np.linspace(0, 2 * np.pi * count + rng.uniform(-0.3, 0.9), 24 * count)
    wobble = np.interp(turns, np.linspace(0, turns[-1], 2 * count + 1), rng.normal(1, 0.12, 2 * count + 1))
    x = pitch * turns / (2 * np.pi) - loop * np.sin(turns) * wobble + loop
    y = 1 - height + height / 2 * (1 - np.cos(turns)) * (0.85 + 0.15 * wobble)
    stroke = np.stack([x, y], axis=1).astype(np.float32)
    return [stroke], float(stroke[:, 0].max())


def zero_row(count: int, rng: Generator) -> tuple[list[Stroke], float]:
    """Return small round zeros side by side, most of them joined at their tops by one line, and their width."""
    height, slim = float(rng.uniform(0.35, 0.9)), float(rng.uniform(0.45, 1.0))
    pitch = slim * height + float(rng.uniform(-0.05, 0.35))
    joins, strokes = rng.random() < 0.7, []
    points: list[Stroke] = []
    for place in range(count):
        size = height * float(np.clip(rng.normal(1, 0.12), 0.7, 1.4))
        start, turn = rng.normal(0, 0.25), 2 * np.pi * float(rng.uniform(0.85, 1.12))
        angles = np.linspace(start, start - turn, 20)
        x = place * pitch + slim * size / 2 * (1 + np.sin(angles)) + rng.normal(0, 0.03)
        y = 1 - size / 2 * (1 + np.cos(angles)) + rng.normal(0, 0.03)
        points.append(np.stack([x, y], axis=1).astype(np.float32))
        if not joins or rng.random() < 0.15 or place == count - 1:
            strokes.append(np.concatenate(points))
            points = []
    left = min(float(stroke[:, 0].min()) for stroke in strokes)
    strokes = [stroke - np.array([left, 0], np.float32) for stroke in strokes]
    return strokes, max(float(stroke[:, 0].max()) for stroke in strokes)


def in_cells(ink: InkCollection, rng: Generator, *, pitch: float) -> Writing:
    """Return digits one by one in cells of `pitch` digit heights, as in the boxes of a date; some stick out."""
    writers = list(ink.digits)
    glyphs = ink.digits[writers[rng.integers(len(writers))]]
    text = _date_text(rng) if rng.random() < 0.6 else "".join(str(d) for d in rng.integers(0, 10, rng.integers(2, 13)))
    size = float(rng.uniform(0.5, 1.0))
    strokes: list[Stroke] = []
    for cell, char in enumerate(text):
        marks, width = _digit(ink, glyphs, char, rng)
        left = (cell + 0.5) * pitch - size * width / 2 + rng.normal(0, 0.09) * pitch
        top = (1 - size) * rng.uniform(0.2, 0.9)
        strokes += [mark * np.float32(size) + np.array([left, top], np.float32) for mark in marks]
    return Writing(text, "", tuple(strokes))


def words(ink: InkCollection, rng: Generator) -> Writing:
    """Return one to three words or signs in a row: no number, and its text is `OTHER`."""
    strokes: list[Stroke] = []
    x = 0.0
    for _ in range(int(rng.integers(1, 4))):
        word = ink.words[rng.integers(len(ink.words))]
        strokes += [stroke + np.array([x, 0], np.float32) for stroke in word.strokes]
        x += word.width + float(rng.uniform(0.1, 0.6))
    return Writing(OTHER, "", tuple(strokes))


def struck_out(ink: InkCollection, rng: Generator) -> Writing:
    """Return a number that its writer crossed out, by lines, a cross, strokes or a zigzag: no number any more.

    It has two digits or more: a bar through a lone 7 does not strike it out.
    """
    while len((number := compose(ink, rng)).text) == 1:
        pass
    right, bottom = number.width, max(number.height, 0.8)
    ends = np.array([rng.uniform(-0.3, 0.1), right + rng.uniform(-0.1, 0.3)])
    middle = rng.uniform(0.35, 0.65) * bottom
    kind = rng.random()
    if kind < 0.35:
        lines = [[(ends[0], middle + rng.normal(0, 0.15)), (ends[1], middle + rng.normal(0, 0.15))]]
        lines += [[(x, y + rng.uniform(0.1, 0.3)) for x, y in lines[0]]] if rng.random() < 0.5 else []
    elif kind < 0.6:
        down = [(ends[0], rng.uniform(-0.2, 0.2)), (ends[1], bottom + rng.uniform(-0.2, 0.2))]
        up = [(ends[0], bottom + rng.uniform(-0.2, 0.2)), (ends[1], rng.uniform(-0.2, 0.2))]
        lines = [down, up] if rng.random() < 0.6 else [[down, up][int(rng.integers(2))]]
    elif kind < 0.8:
        lean, pitch = rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.6)
        starts = np.arange(ends[0], ends[1], pitch) + rng.normal(0, 0.04)
        lines = [[(x + lean, rng.normal(0, 0.1)), (x, bottom + rng.normal(0, 0.1))] for x in starts]
    else:
        x = np.arange(ends[0], ends[1] + 0.3, rng.uniform(0.15, 0.5))
        reach = rng.uniform(0.25, 0.6) * bottom
        turns = middle + reach * np.where(np.arange(len(x)) % 2, 1, -1) + rng.normal(0, 0.06, len(x))
        lines = [list(zip(x, turns, strict=True))]
    return Writing(OTHER, "", number.strokes + tuple(np.asarray(line, np.float32) for line in lines))


def scribble(rng: Generator) -> Writing:
    """Return a scribble, a signature's flourish or a line through nothing: no number."""
    points = int(rng.integers(2, 40))
    steps = rng.normal(0, 1, (points, 2)).astype(np.float32) * rng.uniform(0.1, 0.6)
    steps[:, 0] += np.float32(rng.uniform(0, 0.3))
    path = np.cumsum(steps, axis=0)
    path[:, 1] = (path[:, 1] - path[:, 1].min()) / max(float(np.ptp(path[:, 1])), 0.5)
    path[:, 0] -= path[:, 0].min()
    if points > 4:
        t = np.linspace(0, points - 1, points * 6)
        path = np.stack([np.interp(t, np.arange(points), path[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
    return Writing(OTHER, "", (path.astype(np.float32),))


def lone_marks(rng: Generator) -> Writing:
    """Return dashes, dots and other marks without a digit, as left in a field that holds nothing: no number."""
    strokes: list[Stroke] = []
    x = 0.0
    body = str(rng.choice(["-", "--", "---", "~", "=", "==", ".", "..", "*", "#", "-.-", "~~"]))
    for char in body:
        marks, advance = separator_strokes(char, rng)
        strokes += [mark + np.array([x, 0], np.float32) for mark in marks]
        x += advance + float(rng.uniform(0, 0.3))
    return Writing(OTHER, "", tuple(strokes))


def beside(left: Writing, right: Writing, rng: Generator) -> Writing:
    """Return two writings in a row."""
    shift = np.array([left.width + rng.uniform(0.15, 0.8), rng.normal(0, 0.05)], np.float32)
    return Writing(left.text + right.text, "", left.strokes + tuple(stroke + shift for stroke in right.strokes))


def number_parts(rng: Generator) -> str:
    """Return a number with what stands before and behind it."""
    return _pick(HEADS, rng) + number_text(rng) + _pick(TAILS, rng)


def number_text(rng: Generator) -> str:
    """Return digits with separators."""
    length = 1 + int(rng.choice(len(LENGTHS), p=LENGTHS))
    digits = "".join(str(d) for d in rng.integers(0, 10, length))
    if rng.random() < 0.25 and length > 2:
        zeros = int(rng.integers(1, length))
        digits = digits[: length - zeros] + "0" * zeros
    if rng.random() < 0.2:
        start, run = int(rng.integers(length)), int(rng.integers(2, 4))
        digits = (digits[:start] + str(rng.integers(10)) * run + digits[start + run :])[:length]
    grouping = rng.random()
    if length > 3 and grouping < 0.4:
        return _grouped(digits, _mark(rng), [3] * 4)
    if length > 3 and grouping < 0.6:
        return _grouped(digits, _mark(rng), [3, 2, 2, 2, 2])
    if length > 1 and grouping > 0.85:
        at = int(rng.integers(1, length))
        return digits[:at] + str(rng.choice([".", ",", "/", "-", " "], p=[0.4, 0.3, 0.1, 0.1, 0.1])) + digits[at:]
    return digits


def separator_strokes(char: str, rng: Generator) -> tuple[list[Stroke], float]:
    """Return the strokes of a mark in digit heights, and how far it moves the pen on."""
    if char == " ":
        return [], float(rng.uniform(0.1, 0.5))
    w, j = float(rng.uniform(0.12, 0.5)), rng.normal(0, 0.04, 8)
    strokes = [np.asarray(line, np.float32) for line in MARKS[char](w, [float(value) for value in j])]
    return strokes, max(float(stroke[:, 0].max()) for stroke in strokes) + float(rng.uniform(0, 0.1))


Lines = list[list[tuple[float, float]]]

MARKS: Final[dict[str, Callable[[float, list[float]], Lines]]] = {
    ".": lambda _, j: [[(0.05, 0.95 + j[0]), (0.06 + abs(j[1]), 0.97 + j[0])]],
    ",": lambda w, j: [[(0.1, 0.95 - w / 2 + j[0]), (0.1 + j[1], 1.0 + j[2]), (0.02 + j[3], 1.18 + w / 4 + 2 * j[4])]],
    "'": lambda _, j: [[(0.1, 0.0 + j[0]), (0.06 + j[1], 0.2 + j[2])]],
    "-": lambda w, j: [[(0.0, 0.55 + j[0]), (w, 0.52 + j[1])]],
    # A long dash to the end of the box, as after an amount in rupees.
    "~": lambda w, j: [[(0.0, 0.55 + 2 * j[0]), (0.6 * w, 0.5 + 2 * j[1]), (0.4 + 3 * w, 0.52 + 3 * j[2])]],
    "/": lambda w, j: [[(0.5 * w + 0.3 + 3 * j[2], 0.1 - w + 3 * j[0]), (0.0, 1.0 + w + 3 * j[1])]],
    # A bar against anything that might be added, too tall for a 1.
    "|": lambda w, j: [[(0.15 + j[0], -0.3 - w), (0.15 + j[1], 1.25 + w)]],
    "=": lambda w, j: [[(0.0, 0.42 + j[0]), (w, 0.4 + j[1])], [(0.0, 0.65 + j[2]), (w, 0.62 + j[3])]],
    "$": lambda w, j: [
        [(0.4, 0.2 + j[0]), (0.2, 0.1), (0.05, 0.3), (0.35, 0.6 + j[1]), (0.2, 0.85), (0.0, 0.75 + j[2])],
        [(0.22 + j[3], -0.05), (0.18, 1.05 + w / 4)],
    ],
    "#": lambda _, j: [
        [(0.15 + j[0], 0.1), (0.05, 0.9)], [(0.4 + j[1], 0.1), (0.3, 0.9)],
        [(0.0, 0.4 + j[2]), (0.5, 0.35)], [(0.0, 0.65 + j[3]), (0.5, 0.6)],
    ],
    "*": lambda w, j: [
        [(0.0, 0.35 + j[0]), (w, 0.65 + j[1])], [(0.0, 0.65 + j[2]), (w, 0.35 + j[3])], [(w / 2, 0.3), (w / 2, 0.7)],
    ],
}  # fmt: skip


def _barred_seven(rng: Generator) -> Lines:
    """Return a 7 with a bar through its stem, which may stand low and fall, so that it looks like a 2's foot."""
    if rng.random() < 0.4:
        return _crossed_seven(rng)
    corner, foot = rng.uniform(0.45, 0.75), rng.uniform(0.05, 0.35)
    roof = [(rng.uniform(-0.05, 0.08), rng.uniform(0.05, 0.25)), (0.5 * corner, rng.uniform(0, 0.12)), (corner, 0.05)]
    stem = [(0.6 * corner + 0.4 * foot + rng.normal(0, 0.04), rng.uniform(0.35, 0.5)), (foot, 1.0)]
    level, fall = rng.uniform(0.42, 0.78), rng.uniform(-0.12, 0.3)
    bar = [(rng.uniform(-0.1, 0.15), level), (rng.uniform(0.5, 0.85), level + fall)]
    return [roof + stem, bar]


def _crossed_seven(rng: Generator) -> Lines:
    """Return a 7 whose stem leans so far, and whose bar falls so steeply, that they make an X."""
    left, corner = rng.uniform(-0.02, 0.18), rng.uniform(0.5, 0.8)
    roof = [(left, rng.uniform(0.02, 0.2)), (0.5 * (left + corner), rng.uniform(-0.04, 0.1)), (corner, 0.04)]
    foot = (corner - rng.uniform(0.4, 0.8), rng.uniform(0.95, 1.12))
    bend = rng.uniform(0.35, 0.65)
    stem = [(corner + bend * (foot[0] - corner) + rng.normal(0, 0.03), 0.04 + bend * (foot[1] - 0.04)), foot]
    level = rng.uniform(0.36, 0.6)
    start = foot[0] + (corner - foot[0]) * (1 - level) - rng.uniform(0.08, 0.3)
    end = (start + rng.uniform(0.5, 0.9), level + rng.uniform(0.22, 0.55))
    middle = (0.5 * (start + end[0]), 0.5 * (level + end[1]) + rng.normal(0, 0.04))
    return [roof + stem, [(start, level), middle, end]]


def _looped_four(rng: Generator) -> Lines:
    """Return a 4 in one go: down, along, up to the stem's top with a loop or an edge, and down again."""
    lean = rng.uniform(0, 0.25)
    valley, right = rng.uniform(0.6, 0.85), rng.uniform(0.4, 0.65)
    left = [(lean, rng.uniform(0, 0.25)), (rng.uniform(-0.05, 0.08), 0.8 * valley), (rng.uniform(0.05, 0.15), valley)]
    along = [
        (0.6 * right, valley + rng.normal(0, 0.04)),
        (right + rng.uniform(0, 0.12), valley - rng.uniform(0.1, 0.3)),
    ]
    top = (right + rng.uniform(-0.05, 0.1), rng.uniform(0.2, 0.5))
    foot = [(right + rng.normal(-0.05, 0.05), valley), (right + rng.uniform(-0.1, 0.1), rng.uniform(0.95, 1.15))]
    return [[*left, *along, top, *foot]]


def _winged_one(rng: Generator) -> Lines:
    """Return a 1 with a long stroke up to its top."""
    top = rng.uniform(0.18, 0.55)
    return [[(0.0, rng.uniform(0.25, 0.8)), (top, 0.0), (top + rng.normal(-0.03, 0.06), 1.0)]]


EUROPEAN: Final[dict[str, Callable[[Generator], Lines]]] = {
    "7": _barred_seven,
    "4": _looped_four,
    "1": _winged_one,
}
"""Forms of digits that the collections of ink have few of."""

EUROPEAN_SHARE: Final = {"7": 0.3, "4": 0.1, "1": 0.12}
"""Of these digits in drawn numbers."""


def _digit(
    ink: InkCollection, glyphs: dict[str, list[Writing]], char: str, rng: Generator
) -> tuple[list[Stroke], float]:
    """Return a digit's strokes, standing on the line, and its width."""
    if rng.random() < EUROPEAN_SHARE.get(char, 0.0):
        glyph = Writing(char, "", tuple(np.asarray(line, np.float32) for line in EUROPEAN[char](rng)))
    else:
        choice = glyphs.get(char) or _from_anyone(ink, char, rng)
        glyph = choice[rng.integers(len(choice))]
    size = float(np.clip(rng.normal(1, 0.09), 0.7, 1.3)) / max(glyph.height, 0.5)
    top = 1 - size * glyph.height + rng.normal(0, 0.04)
    return [stroke * np.float32(size) + np.array([0, top], np.float32) for stroke in glyph.strokes], size * glyph.width


def _from_anyone(ink: InkCollection, char: str, rng: Generator) -> list[Writing]:
    writers = [glyphs[char] for glyphs in ink.digits.values() if char in glyphs]
    return writers[rng.integers(len(writers))]


def _mark(rng: Generator) -> str:
    return str(rng.choice([".", ",", " ", "'"], p=[0.4, 0.4, 0.15, 0.05]))


def _grouped(digits: str, mark: str, sizes: list[int]) -> str:
    """Return the digits in groups from the right: by thousands, or by lakh and crore as in India."""
    groups: list[str] = []
    for size in sizes:
        if len(digits) <= size:
            break
        digits, group = digits[:-size], digits[-size:]
        groups.insert(0, group)
    return mark.join([digits, *groups])


def _date_text(rng: Generator) -> str:
    day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1950, 2036)
    return f"{day:02d}{month:02d}{year:04d}" if rng.random() < 0.75 else f"{day:02d}{month:02d}{year % 100:02d}"


def _pick(shares: dict[str, float], rng: Generator) -> str:
    return str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
