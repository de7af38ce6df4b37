"""The free fonts that print is drawn in: named file by file, so that a training can be repeated."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

from core.errors import InvalidRequest

PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "fonts-dejavu-core": ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf",
                          "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
    "fonts-dejavu-extra": ("DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf", "DejaVuSerifCondensed-Bold.ttf"),
    "fonts-liberation": ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf", "LiberationSans-Italic.ttf",
                         "LiberationSansNarrow-Regular.ttf", "LiberationSansNarrow-Bold.ttf",
                         "LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf", "LiberationMono-Regular.ttf",
                         "LiberationMono-Bold.ttf"),
    "fonts-freefont-ttf": ("FreeSans.ttf", "FreeSansBold.ttf", "FreeSerif.ttf", "FreeSerifBold.ttf", "FreeMono.ttf",
                           "FreeMonoBold.ttf"),
    "fonts-noto-mono": ("NotoSansMono-Regular.ttf", "NotoSansMono-Bold.ttf"),
    "fonts-hack": ("Hack-Regular.ttf", "Hack-Bold.ttf"),
    "fonts-urw-base35": ("NimbusSans-Regular.otf", "NimbusSans-Bold.otf", "NimbusSansNarrow-Regular.otf",
                         "NimbusSansNarrow-Bold.otf", "NimbusRoman-Regular.otf", "NimbusRoman-Bold.otf",
                         "NimbusMonoPS-Regular.otf", "NimbusMonoPS-Bold.otf", "C059-Roman.otf", "C059-Bold.otf",
                         "P052-Roman.otf", "P052-Bold.otf", "URWBookman-Light.otf", "URWBookman-Demi.otf",
                         "URWGothic-Book.otf", "URWGothic-Demi.otf"),
    "fonts-ocr-b": ("OCRB.otf",),
    "fonts-roboto-unhinted": ("Roboto-Regular.ttf", "Roboto-Bold.ttf", "RobotoCondensed-Regular.ttf",
                              "RobotoCondensed-Bold.ttf"),
    "fonts-open-sans": ("OpenSans-CondBold.ttf", "OpenSans-CondLight.ttf"),
    "fonts-inconsolata": ("Inconsolata.otf",),
}  # fmt: skip
"""Debian's packages, and the files of each that are drawn with; all have lining figures."""

ENOUGH: Final = 30
"""Fonts without which print is not drawn; releases of Debian differ by a few files."""

INDIAN: Final = ("FreeSans.ttf", "FreeSerif.ttf")
"""Those that have letters of Devanagari, too."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font: its file's name and where it is."""

    name: str
    path: Path


def load_fonts() -> tuple[Font, ...]:
    """Return the fonts that print is drawn in, in the order of their names.

    Raises:
        InvalidRequest: too few of them are on this system; the sentence names Debian's packages.
    """
    found = fonts_here()
    if len(found) < ENOUGH:
        here = {font.name for font in found}
        lacking = [package for package, names in PACKAGES.items() if not here.intersection(names)]
        raise InvalidRequest(
            f"Print is drawn in free fonts, of which {len(found)} are here and {ENOUGH} are needed; on Debian: "
            f"apt install {' '.join(lacking)}."
        )
    return found


@lru_cache(maxsize=1)
def fonts_here() -> tuple[Font, ...]:
    """Return those of the fonts that are on this system, in the order of their names."""
    wanted = {name for names in PACKAGES.values() for name in names}
    found: dict[str, Path] = {}
    for folder in font_folders():
        for path in sorted(folder.rglob("*.[ot]tf")):
            if path.name in wanted:
                found.setdefault(path.name, path)
    return tuple(Font(name, found[name]) for name in sorted(found))


def font_folders() -> list[Path]:
    """Return where this system keeps fonts, as the XDG base directory specification has it."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    shared = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    folders = [home / "fonts", Path.home() / ".fonts", *(Path(each) / "fonts" for each in shared if each)]
    return [folder for folder in folders if folder.is_dir()]


@lru_cache(maxsize=512)
def opened(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return the font at so many pixels."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
