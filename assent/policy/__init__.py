"""What agents may do: cards, conditions and admission, as pure functions."""
