"""Tests with real servers, real workers and a real broker."""
