"""A small shop and the agent that answers its customers: Assent's sample, and the ground for its benchmark."""
