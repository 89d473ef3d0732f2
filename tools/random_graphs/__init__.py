"""Random ONNX graphs: a builder that computes each node as it is added, and the rules that add nodes."""
