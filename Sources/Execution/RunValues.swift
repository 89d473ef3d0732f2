import GraphIR
import Operators
import TensorCore

extension Graph {
    /// - Throws: `input` for another count of values, or a value of another kind or element type, than the inputs have.
    func require(_ feeds: [RuntimeValue]) throws(SardonyxError) {
        guard feeds.count == inputs.count else {
            throw SardonyxError(
                .input, "inputs", "count of values", got: "\(feeds.count)", allowed: "\(inputs.count)")
        }
        for (id, feed) in zip(inputs, feeds) {
            guard let type = self[id].type, !feed.type.fits(type) else { continue }
            throw SardonyxError(.input, "input '\(self[id].name)'", "type", got: "\(feed.type)", allowed: "\(type)")
        }
    }

    /// The outputs, by position.
    /// - Parameter values: what a run has computed, and what it was given.
    func outputs(in values: [ValueID: RuntimeValue]) throws(SardonyxError) -> [RuntimeValue] {
        try outputs.map { (id) throws(SardonyxError) in
            if let value = values[id] { return value }
            guard let constant = self[id].constant else {
                throw SardonyxError(.internal, "output '\(self[id].name)'", "was not computed")
            }
            return .tensor(try constant.tensor())
        }
    }
}

extension Plan {
    /// The tensors that the steps read, by graph input.
    static func tensors(of feeds: [RuntimeValue]) throws(SardonyxError) -> [Tensor] {
        try feeds.map { (feed) throws(SardonyxError) in
            // No step reads an input that is no tensor.
            if let tensor = feed.tensor { tensor } else { try Tensor([UInt8](), dims: [0]) }
        }
    }

    /// Memory for what one run makes, by result.
    func makeResults() throws(SardonyxError) -> [Tensor] {
        try results.map { (result) throws(SardonyxError) in
            try Tensor(resultOf: result.info.dtype, shape: result.info.shape)
        }
    }
}
