"""Tests of the line reader's training half."""
