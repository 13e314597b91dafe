"""The scripted support agent: it reads a letter, looks things up, and proposes what the customer needs. No model."""

from assent_shop.support.agent import handle
from assent_shop.support.letters import Letter, LetterWriter, Subject

__all__ = ["Letter", "LetterWriter", "Subject", "handle"]
