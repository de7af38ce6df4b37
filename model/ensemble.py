"""Several exported networks as one: glyphs in, the mean of their probabilities out, by LiteRT.

For measuring and labelling glyphs. Workers read with one network: three cost three times as much.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.artifacts import SHIPPED
from model.recogniser import Recogniser


class Ensemble:
    """Networks that know the same classes and have an equal say. Not for use by two threads at once."""

    def __init__(self, members: Sequence[Recogniser]) -> None:
        """Join `members`, one at least, which know the same classes."""
        self.members = tuple(members)
        self.classes: tuple[str, ...] = self.members[0].classes

    @classmethod
    def load(
        cls, names: Sequence[str], *, normalisation_version: str | None = None, root: Path = SHIPPED
    ) -> "Ensemble":
        """Return the artifacts `names` as one network; see `Recogniser.load`.

        Raises:
            InvalidRequest: no artifact is named, one is named twice, or they know other classes.
            ArtifactMissing: there is no such artifact, or its file is gone.
            ArtifactMismatch: its file was altered, or it was trained on glyphs normalised or shown otherwise.
        """
        if not names or len(set(names)) < len(names):
            raise InvalidRequest("Name each network once.")
        members = [Recogniser.load(name, normalisation_version=normalisation_version, root=root) for name in names]
        for name, member in zip(names, members, strict=True):
            if member.classes != members[0].classes:
                raise InvalidRequest(f"{name} and {names[0]} know other classes and cannot be joined.")
        return cls(members)

    @property
    def version(self) -> str:
        """The members' versions."""
        return " + ".join(member.info.version for member in self.members)

    def classify(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the mean of what the members find probable: float32, shape (n, len(classes)), rows sum to 1.

        Args:
            glyphs: uint8, shape (n, 28, 28), as `segmentation.normalise` makes them.
        """
        mean: NDArray[np.float32] = np.mean([member.classify(glyphs) for member in self.members], axis=0)
        return mean
