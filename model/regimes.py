"""Regimes: how each architecture of `model.architectures` is trained unless the caller says otherwise."""

from dataclasses import dataclass, replace

from model.augment import Strength


@dataclass(frozen=True, slots=True)
class Regime:
    """How an architecture is trained unless the caller says otherwise.

    Epochs beyond `settle_after` see milder changes: going on with a finished run settles it. With `averaging`, what is
    measured and kept is the average of the weights, which follows them with that momentum. `half_precision` is for
    speed, where the machine multiplies bfloat16.
    """

    epochs: int
    batch_size: int
    patience: int
    learning_rate: float
    cosine: bool = False
    label_smoothing: float = 0.0
    weight_decay: float = 0.0
    strength: Strength | None = None
    settle_after: int = 0
    averaging: float = 0.0
    half_precision: bool = False


# Clean glyphs, centred and of one size: what happens to them on scans would only cost steps here.
RECORD = Regime(
    epochs=20,
    batch_size=128,
    patience=20,
    learning_rate=4e-3,
    cosine=True,
    label_smoothing=0.05,
    weight_decay=1e-2,
    strength=Strength(
        rotation=0.25,
        shear=0.25,
        scale=0.18,
        shift_px=2.5,
        elastic_px=0.7,
        restroke=0.15,
        soften=0.0,
        fade=0.0,
        intrude=0.0,
        erase=0.3,
    ),
    settle_after=16,
    averaging=0.999,
    half_precision=True,
)

REGIMES: dict[str, Regime] = {
    # As published; the number of epochs is never reached.
    "baseline": Regime(epochs=50, batch_size=64, patience=1, learning_rate=1e-3),
    "small": Regime(
        epochs=12,
        batch_size=128,
        patience=6,
        learning_rate=3e-3,
        cosine=True,
        label_smoothing=0.02,
        weight_decay=1e-2,
        strength=Strength(),
        settle_after=12,
    ),
    "record": RECORD,
    "record-3": replace(RECORD, epochs=28, settle_after=22),
    "record-7": replace(RECORD, epochs=40, settle_after=32),
    # Its windows are drawn with all that changes them already.
    "micr": Regime(epochs=6, batch_size=128, patience=6, learning_rate=2e-3, cosine=True, weight_decay=1e-2),
}
