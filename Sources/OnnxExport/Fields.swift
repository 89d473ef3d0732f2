/// Field numbers of the messages of `schemas/onnx.proto`.
enum Fields {
    enum Model {
        static let irVersion = 1
        static let producerName = 2
        static let producerVersion = 3
        static let domain = 4
        static let modelVersion = 5
        static let documentation = 6
        static let graph = 7
        static let opsetImport = 8
        static let metadata = 14
        static let functions = 25
    }

    enum Graph {
        static let node = 1
        static let name = 2
        static let initializer = 5
        static let documentation = 10
        static let input = 11
        static let output = 12
        static let valueInfo = 13
    }

    enum Function {
        static let name = 1
        static let input = 4
        static let output = 5
        static let attribute = 6
        static let node = 7
        static let opsetImport = 9
        static let domain = 10
        static let defaults = 11
        static let overload = 13
    }

    enum Node {
        static let input = 1
        static let output = 2
        static let name = 3
        static let operatorType = 4
        static let attribute = 5
        static let domain = 7
        static let overload = 8
    }

    enum Attribute {
        static let name = 1
        static let float = 2
        static let int = 3
        static let string = 4
        static let tensor = 5
        static let graph = 6
        static let floats = 7
        static let ints = 8
        static let strings = 9
        static let tensors = 10
        static let graphs = 11
        static let type = 14
        static let types = 15
        static let kind = 20
        static let reference = 21
        static let sparseTensor = 22
        static let sparseTensors = 23
    }

    enum Tensor {
        static let dims = 1
        static let dataType = 2
        static let strings = 6
        static let name = 8
        static let raw = 9
        static let externalData = 13
        static let dataLocation = 14
    }

    enum Sparse {
        static let values = 1
        static let indices = 2
        static let dims = 3
    }

    enum ValueInfo {
        static let name = 1
        static let type = 2
    }

    /// The kinds of TypeProto.
    enum TypeKind {
        static let tensor = 1
        static let sequence = 4
        static let map = 5
        static let sparseTensor = 8
        static let optional = 9
    }

    /// Entries of StringStringEntryProto, OperatorSetIdProto, and the messages of TypeProto: two fields each.
    enum Pair {
        static let first = 1
        static let second = 2
    }
}
