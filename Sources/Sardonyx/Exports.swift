// Tensors, errors, pictures, cards and instances belong to the public face.
@_exported import Detection
@_exported import TensorCore
