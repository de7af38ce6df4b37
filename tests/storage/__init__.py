"""Tests of storage: every repository on SQLite and on PostgreSQL."""
