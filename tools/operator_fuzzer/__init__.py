"""Pieces of tools/fuzz_operators.py: `draw` makes random nodes (by `recipes_…` where chance hardly ever finds one), `server` asks
MXNet, `judge` compares, and `excuses` says which differences an operator's notes allow (`conditions`)."""
