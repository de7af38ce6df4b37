"""Forms of one's own: from a page of YAML to a printable PDF and the template that reads it."""
