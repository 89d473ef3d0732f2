/// Floor 0: generated protobuf-c code.
