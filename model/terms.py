"""The terms of each collection, as its publisher states them; manifests repeat them."""

from typing import Final

MNIST: Final = "no formal licence, of NIST origin"
UCI: Final = "UCI, CC BY 4.0"
UNIPEN: Final = "CC BY 4.0 as published; the original CD says research"
ORAND: Final = "research use (ICFHR 2014 competition); labels MIT"
MEZA: Final = "none stated"
CROHME: Final = "research, non-commercial (CC BY-NC-SA)"
IDRBT: Final = "research use; shows names and account numbers, so no picture is ever published"
