"""The words of Assent as plain data and pure functions: no clock, no randomness, no input or output."""
