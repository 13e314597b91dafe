"""Everything with side effects, with injected dependencies."""
