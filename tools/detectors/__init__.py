"""Detector families: small exports with random weights, their cards, and independent statements of their decoders."""
