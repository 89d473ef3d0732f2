import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Equations that take every way through `EinsumPlan`, on small whole numbers, against the definition.
@Suite struct EinsumTests {
    static let equations = [
        "bij,bjk->bik", "bij,bjk->bki", "bihd,bjhd->bhij", "bhij,bjhd->bihd", "abc,cd->abd", "cd,abc->abd",
        "ij,j->i", "ij,i->j", "i,ij->j", "i,j->ij", "i,j->ji", "ij,ij->ij", "ij,ij->", "ij,kl->", "ii->i", "ii->",
        "ij->ji", "ij->", "iji,jk->ik", "ab,cd,ac,bd->", "ijk,kl,lm->ijm", "a,b,c->cab", "ab,b,bc->ac",
    ]
    private static let extents: [Character: Int] = [
        "a": 5, "b": 3, "c": 4, "d": 6, "h": 2, "i": 7, "j": 8, "k": 9, "l": 2, "m": 3,
    ]

    private struct Term {
        let labels: [Character]
        /// Extents of 1 stretch.
        let dims: [Int]
        let values: [Int64]

        func value(_ at: [Character: Int]) -> Int64 {
            values[zip(labels, dims).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : at[$1.0] ?? 0) }]
        }
    }

    private func reference(_ terms: [Term], _ output: [Character]) -> [Int64] {
        let summed = Set(terms.flatMap(\.labels)).subtracting(output).sorted()
        func total(_ rest: ArraySlice<Character>, _ at: [Character: Int]) -> Int64 {
            guard let label = rest.first else { return terms.reduce(1) { $0 * $1.value(at) } }
            return (0..<(Self.extents[label] ?? 1)).reduce(0) {
                $0 + total(rest.dropFirst(), at.merging([label: $1]) { $1 })
            }
        }
        func all(_ rest: ArraySlice<Character>, _ at: [Character: Int]) -> [Int64] {
            guard let label = rest.first else { return [total(summed[...], at)] }
            return (0..<(Self.extents[label] ?? 1)).flatMap { all(rest.dropFirst(), at.merging([label: $0]) { $1 }) }
        }
        return all(output[...], [:])
    }

    @Test(arguments: equations) func isItsDefinition(_ equation: String) throws {
        let sides = equation.split(separator: "-", maxSplits: 1)
        let names = sides[0].split(separator: ",").map(Array.init)
        let output = Array(sides[1].dropFirst())
        // Once with every extent, once with an axis of the last factor stretched.
        for stretches in [false, true] where !stretches || names.count > 1 {
            let terms = names.enumerated().map { index, labels in
                let dims = labels.enumerated().map { axis, label in
                    stretches && index == names.count - 1 && axis == 0 && names[0].contains(label)
                        ? 1 : Self.extents[label] ?? 1
                }
                let count = dims.reduce(1, *)
                return Term(labels: labels, dims: dims, values: (0..<count).map { Int64((7 * $0 + 3 * index) % 5) - 2 })
            }
            let exact = reference(terms, output)
            let runner = NodeRunner("Einsum", ["equation": .string(Array(equation.utf8))])
            let whole = try run(runner, terms.map { try Tensor($0.values, dims: $0.dims) })
            #expect(try whole.array(of: Int64.self) == exact)
            let single = try run(runner, terms.map { try Tensor($0.values.map(Float.init), dims: $0.dims) })
            #expect(try single.array(of: Float.self) == exact.map(Float.init))
            let double = try run(runner, terms.map { try Tensor($0.values.map(Double.init), dims: $0.dims) })
            #expect(try double.array(of: Double.self) == exact.map(Double.init))
        }
    }

    private func run(_ runner: NodeRunner, _ inputs: [Tensor]) throws -> Tensor {
        let result =
            switch inputs.count {
            case 1: try runner.run(inputs[0])
            case 2: try runner.run(inputs[0], inputs[1])
            case 3: try runner.run(inputs[0], inputs[1], inputs[2])
            default: try runner.run(inputs[0], inputs[1], inputs[2], inputs[3])
            }
        return try #require(result[0])
    }
}
