"""The whole way: a folder in, a table out, through the real service."""
