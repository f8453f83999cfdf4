"""The protocol as data, and everything that reads it: checker, generators, reference."""
