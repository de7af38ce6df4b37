"""Tests of model.micr."""
