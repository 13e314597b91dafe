"""The nouns of the command line: one module each, every one with an ``app`` that ``assent.cli`` composes."""
