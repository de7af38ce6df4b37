"""The line reader: reads a field as a whole, from drawn and real strings to an artifact."""
