"""The benchmark harness behind tools/bench-peers."""
