"""The same support agent, driven by a real model through Pydantic AI instead of a script.

``python -m assent_shop.model_agent --url URL --key KEY --model openai:gpt-…`` answers some letters. The model's own
key is read by Pydantic AI, from where its provider documents it. What the model may do is the same card.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assent_shop.stock import sample_shop
from assent_shop.support.letters import Letter, LetterWriter, Subject

try:
    from pydantic_ai import Agent
    from pydantic_ai.models import Model

    from assent.adapters.pydantic_ai import ActingRun, tools_for
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise ImportError("A model needs Pydantic AI: pip install 'assent[pydantic-ai]'") from error

INSTRUCTIONS = """
You answer letters to a small shop. Find out who writes (by mail address, or else by name and postal code) before
anything else, and act only on orders of that customer. Look at the order before you propose to change it. Make one
tool call at a time, never make up ids, and do not ask the customer questions: do what can be done, or hand over to a
colleague. If something is rejected or refused, take the reason into account: propose something gentler, or stop.
End with one or two sentences that say what was achieved.
""".strip()


def answer_with_model(
    run: ActingRun, action_types: Iterable[Mapping[str, Any]], letter: Letter, model: Model | str
) -> str:
    """Let a model answer one letter in an open run; the run is left open.

    Args:
        run: The open run.
        action_types: What the agent may propose, as the API lists it.
        letter: The customer's letter.
        model: A model of Pydantic AI, or its name, such as ``openai:gpt-…``.

    Returns:
        What the model says it achieved.
    """
    agent = Agent(model, instructions=INSTRUCTIONS, tools=tools_for(run, action_types))
    said = f"From: {letter.name} <{letter.sender}>, {letter.zip}\nSubject: {letter.subject}\n\n{letter.text}"
    return str(asyncio.run(agent.run(said)).output)


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer some letters with a model; for ``python -m assent_shop.model_agent``."""
    # Imported here: everything above can be used with a run of another kind.
    from assent.client import Assent

    parser = argparse.ArgumentParser(prog="assent_shop.model_agent", description="The shop's agent with a real model.")
    parser.add_argument("--url", required=True, help="address of Assent")
    parser.add_argument("--key", required=True, help="key of the agent shop-support")
    parser.add_argument("--model", required=True, help="model, as Pydantic AI names it: openai:gpt-…")
    parser.add_argument("--letters", type=int, default=3, help="how many letters it answers")
    given = parser.parse_args(arguments)
    chance = random.Random()
    writer = LetterWriter(sample_shop(), chance)
    with Assent(given.url, given.key) as client:
        types = client.action_types()
        for _ in range(given.letters):
            letter = writer.write(chance.choice(list(Subject)))
            run = client.start_run(goal=letter.subject, received=letter.received)
            summary = answer_with_model(run, types, letter, given.model)
            run.end(summary)
            print(f"{letter.name}: {letter.subject}\n  {summary}")


if __name__ == "__main__":
    main()
