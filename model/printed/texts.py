"""What is printed on forms: numbers of any kind, labels before and words beside them, codes of letters and digits."""

from typing import Final

from numpy.random import Generator

from model.line.writing import OTHER

LABELS: Final = (
    "A/c No.", "A/C NO.", "A/c. No.", "ACCOUNT NO", "Account Number:", "Acc. no.", "No.", "No", "NO:", "Nr.", "S.No.",
    "Serial No.", "SERIAL", "Ref:", "Ref. No", "Cheque No.", "Invoice #", "Date", "Dated:", "Amount", "Rs.", "Rs",
    "INR", "USD", "EUR", "IFSC", "IBAN", "Code:", "BRANCH CODE", "ID", "Form", "Page", "Tel.", "Phone:", "SB", "CA",
    "Roll No.", "Registration No", "Meter", "Kundennr.", "Konto", "Total", "Qty", "PIN", "Zip", "Customer ID", "TIN",
)  # fmt: skip

WORDS: Final = (
    "PERSONAL", "BANKING", "SAVINGS", "ACCOUNT", "SAPPM", "SBKIT", "CBS", "NEW", "Current", "Branch", "Limited", "LTD",
    "Payable", "at", "par", "in", "India", "or", "Bearer", "Order", "Rupees", "Signature", "Please", "sign", "above",
    "VALID", "FOR", "THREE", "MONTHS", "ONLY", "multi-city", "Bank", "of", "OBLIGO", "SOLID", "BILLS", "Issue", "Zone",
    "Lodz", "Bill", "isle", "Gross", "SIZE", "DOB", "Oslo", "loss", "Ill", "gilt", "boss", "Ohio", "Abt.", "Summe",
)  # fmt: skip

LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"

DEVANAGARI: Final = "कखगचजटडतदनपबमयरलवसहअइउएओ"

SILENT: Final = frozenset(" .,-/:;()'\"|_")
"""Between figures and letters, and no sign of their own: they are read as nothing."""

SEPARATORS: Final = (" ", "  ", "-", "/", ".", " - ")


def label_of(text: str) -> str:
    """Return what a reader shall say of the text: its digits, and `OTHER` for each letter or symbol."""
    signs = (char for char in text if char not in SILENT)
    return "".join(char if char in "0123456789" else OTHER for char in signs)


def any_text(rng: Generator) -> str:
    """Return a line as forms have them."""
    kind = rng.random()
    if kind < 0.5:
        return number(rng)
    if kind < 0.68:
        return f"{rng.choice(LABELS)}{gap(rng)}{number(rng)}"
    if kind < 0.76:
        return f"{number(rng)}{gap(rng)}{rng.choice(WORDS)}"
    if kind < 0.82:
        return f"{rng.choice(WORDS)}{gap(rng)}{number(rng)}{gap(rng)}{number(rng)}"
    if kind < 0.88:
        return mixed(rng)
    return words(rng)


def number(rng: Generator) -> str:
    """Return a number: as it stands, in groups, a date, an amount."""
    kind = rng.random()
    if kind < 0.68:
        return digits(rng, int(rng.integers(1, 19)) if rng.random() < 0.5 else int(rng.integers(9, 19)))
    if kind < 0.82:
        sign, size = str(rng.choice(SEPARATORS)), int(rng.integers(2, 6))
        return sign.join(digits(rng, size) for _ in range(int(rng.integers(2, 5))))
    if kind < 0.9:
        sign = str(rng.choice(["/", "-", "."]))
        return f"{rng.integers(1, 32):02d}{sign}{rng.integers(1, 13):02d}{sign}{rng.integers(1950, 2050)}"
    amount = f"{int(10 ** rng.uniform(0, 8)):,}"
    return amount + str(rng.choice(["", ".00", f".{rng.integers(100):02d}", "/-"]))


def digits(rng: Generator, count: int) -> str:
    """Return so many digits, runs of zeros and of other equal ones among them."""
    if rng.random() < 0.3:
        few = rng.choice(list("0123456789"), 3)
        return "".join(rng.choice(["0", "1", *few], count))
    return "".join(rng.choice(list("0123456789"), count))


def gap(rng: Generator) -> str:
    """Return the paper between two words of a line."""
    return " " * int(rng.integers(0, 7)) if rng.random() < 0.6 else " "


def mixed(rng: Generator) -> str:
    """Return letters and digits in one code."""
    letters = "".join(rng.choice(list(LETTERS), int(rng.integers(1, 5))))
    if rng.random() < 0.5:
        return letters + str(rng.choice(["", "/", "-", " "])) + digits(rng, int(rng.integers(3, 12)))
    return digits(rng, int(rng.integers(1, 8))) + letters + digits(rng, int(rng.integers(0, 6)))


def words(rng: Generator) -> str:
    """Return words without a number."""
    return " ".join(str(rng.choice(WORDS if rng.random() < 0.8 else LABELS)) for _ in range(int(rng.integers(1, 5))))


def indian(rng: Generator) -> str:
    """Return letters of Devanagari, as labels have them."""
    return "".join(rng.choice([*DEVANAGARI, " "], int(rng.integers(2, 12)))).strip() or "क"
