"""YOLACT (arXiv 1904.02689) in plain PyTorch: networks, priors, losses, post-processing and model cards."""
