"""Tests of the drawn examples and the demonstration."""
