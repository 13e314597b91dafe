"""The public retail benchmark's cases as agent runs through Assent."""
