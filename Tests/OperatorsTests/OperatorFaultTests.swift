import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Wrong attributes, shapes and values give an error of the right class that states what was given; nothing traps.
@Suite struct OperatorFaultTests {
    private func fault(_ runner: @autoclosure () throws -> LayoutRunner) -> SardonyxError? {
        do {
            _ = try Evaluator().outputs(of: runner().node, opset: runner().opset, inputs: runner().inputs)
            return nil
        } catch { return error as? SardonyxError }
    }

    @Test func convolution() throws {
        let (x, w) = (try LayoutRunner.ramp([1, 4, 8, 8], 1), try LayoutRunner.ramp([6, 4, 3, 3], 2))
        let attributes: [[String: Attribute]] = [
            ["group": .int(0)], ["strides": .ints([0, 1])], ["pads": .ints([1, 1, 1])], ["group": .int(-1)],
            ["dilations": .ints([1, -1])], ["kernel_shape": .ints([5, 5])], ["strides": .ints([1])],
            ["dilations": .ints([.max, .max])], ["pads": .ints([.max, 0, 0, 0])], ["dilations": .ints([4, 4])],
        ]
        for attributes in attributes {
            let error = fault(LayoutRunner("Conv", [x, w], attributes))
            #expect(error?.code == .shape || error?.code == .limit, "\(attributes): \(String(describing: error))")
        }
        let channels = fault(LayoutRunner("Conv", [x, try LayoutRunner.ramp([6, 5, 3, 3], 2)]))
        #expect(channels?.code == .shape)
        #expect(channels?.message.contains("input 4, weight 5") == true)
        let kernel = fault(LayoutRunner("Conv", [try LayoutRunner.ramp([1, 4, 2, 2], 1), w]))
        #expect(kernel?.code == .shape)
        #expect(kernel?.message.contains("output 0") == true)
    }

    @Test func pooling() throws {
        let x = try LayoutRunner.ramp([1, 1, 4, 4], 1)
        for pads in [[3, 3, 3, 3], [0, 0, 5, 5]] {
            #expect(
                fault(LayoutRunner("MaxPool", [x], ["kernel_shape": .ints([2, 2]), "pads": .ints(pads)]))?.code
                    == .shape)
        }
        #expect(fault(LayoutRunner("MaxPool", [x]))?.code == .graph)
    }

    @Test(arguments: [Float.nan, .infinity, 0, -1, 1e9, 1e30]) func resizeScale(scale: Float) throws {
        let none = try Tensor([Float](), dims: [0])
        let scales = try Tensor([1, 1, scale, scale], dims: [4])
        let error = fault(LayoutRunner("Resize", [try LayoutRunner.ramp([1, 1, 1000, 1000], 1), none, scales]))
        #expect(error?.code == (scale >= 1e9 && scale.isFinite ? .limit : .value))
    }

    private func integers<T: FixedWidthInteger & TensorElement & Equatable>(
        _ name: String, _ a: [T], _ b: [T], fmod: Int? = nil
    ) throws -> [T] {
        let runner = LayoutRunner(
            name, [try Tensor(a, dims: [a.count]), try Tensor(b, dims: [b.count])],
            fmod.map { ["fmod": .int($0)] } ?? [:])
        return try Evaluator().outputs(of: runner.node, opset: 20, inputs: runner.inputs)[0]?.array(of: T.self) ?? []
    }

    /// Expected: C with two's complement wrapping (Div truncates), Python's % for Mod, C's % for fmod.
    @Test func integerArithmetic() throws {
        #expect(try integers("Div", [Int32.min, -7, 7], [-1, 2, -2]) == [.min, -3, -3])
        #expect(try integers("Div", [Int64.min, Int64.max], [-1, -1]) == [.min, -.max])
        #expect(try integers("Mod", [Int64.min, -7, 7, 6], [-1, 3, -3, 3]) == [0, 2, -2, 0])
        #expect(try integers("Mod", [Int8.min, -7, 7], [-1, 3, -3], fmod: 1) == [0, -1, 1])
        #expect(try integers("Mul", [Int16.min, 300], [-1, 300]) == [.min, 24464])
        #expect(try integers("Add", [UInt8.max], [2]) == [1])
        #expect(try integers("Pow", [Int32(3), -2, 2], [4, 3, -1]) == [81, -8, 0])
        let zero = fault(
            LayoutRunner("Div", [try Tensor([Int32(4), 5], dims: [2]), try Tensor([Int32(1), 0], dims: [2])]))
        #expect(zero?.code == .value)
        #expect(zero?.message.contains("element 1") == true)
    }

    @Test func products() throws {
        let a = try LayoutRunner.ramp([2, 3], 1)
        #expect(fault(LayoutRunner("MatMul", [a, a]))?.code == .shape)
        #expect(fault(LayoutRunner("Gemm", [a, a]))?.code == .shape)
        #expect(
            fault(LayoutRunner("Gemm", [a, a, try LayoutRunner.ramp([3], 1)], ["transB": .int(1)]))?.code == .shape)
        for equation in ["ij", "ij,jk,kl", "i,ij->k", "ij,jk->ii", "i-j", "..i,ij", "iji,ij->i"] {
            let error = fault(LayoutRunner("Einsum", [a, a], ["equation": .string(Array(equation.utf8))]))
            #expect(error?.code == .graph || error?.code == .shape, "\(equation)")
        }
    }

    @Test func emptyBatch() throws {
        let x = try Tensor([Float](), dims: [0, 4, 8, 8])
        #expect(try LayoutRunner("Conv", [x, try LayoutRunner.ramp([6, 4, 3, 3], 2)]).plain().isEmpty)
        #expect(try LayoutRunner("MaxPool", [x], ["kernel_shape": .ints([2, 2])]).plain().isEmpty)
        #expect(try LayoutRunner("Softmax", [x]).plain().isEmpty)
        #expect(try LayoutRunner("GlobalAveragePool", [x]).plain().isEmpty)
        #expect(try LayoutRunner("Add", [x, x]).plain().isEmpty)
        #expect(try LayoutRunner("ReduceMax", [x]).plain() == [-.infinity])
    }
}
