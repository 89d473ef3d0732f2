"""PyTorch modules that the module check exports: how to build each, and the inputs to export and to run it with."""
