"""Pieces of tools/fuzz_operators.py: `draw` makes random nodes, `server` asks MXNet, `judge` compares and `excuses` says which
differences an operator's notes allow."""
