"""The parts of tools/check-graph-tools."""
