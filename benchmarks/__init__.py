"""Measurements that anyone can repeat; every figure in the documents comes from here."""
