import COnnx
import GraphIR
import TensorCore

// Reading of unpacked protobuf-c structures. The scan has made sure that strings are UTF-8 without NUL.

/// The text of an optional string field; empty when absent.
func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

/// The bytes of an optional string field as a name; empty when absent.
func name(_ pointer: UnsafePointer<CChar>?) -> Name {
    guard let pointer else { return "" }
    var bytes: [UInt8] = []
    var next = pointer
    while next.pointee != 0 {
        bytes.append(UInt8(bitPattern: next.pointee))
        next += 1
    }
    return Name(bytes: bytes)
}

func bytes(_ data: ProtobufCBinaryData) -> [UInt8] { Array(UnsafeBufferPointer(start: data.data, count: data.len)) }

/// The messages of a repeated field.
func messages<Message>(_ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int)
    -> [UnsafeMutablePointer<Message>]
{
    UnsafeBufferPointer(start: pointer, count: count).compactMap { $0 }
}

/// The names in a repeated string field.
func names(_ pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int) -> [Name] {
    UnsafeBufferPointer(start: pointer, count: count).map { name($0) }
}

func stringEntries(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringStringEntryProto>?>?, _ count: Int
) -> [(key: String, value: String)] {
    messages(pointer, count).map { (text($0.pointee.key), text($0.pointee.value)) }
}

/// Operator set versions by normalized domain.
/// - Throws: `graph` for a version below 1, or two versions of one domain.
func operatorSets(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__OperatorSetIdProto>?>?, _ count: Int, place: String
) throws(SardonyxError) -> [String: Int] {
    var versions: [String: Int] = [:]
    for entry in messages(pointer, count) {
        let domain = Domains.normalized(text(entry.pointee.domain))
        let version = Int(entry.pointee.version)
        let shown = domain.isEmpty ? "ai.onnx" : domain
        guard version >= 1 else {
            throw SardonyxError(
                .graph, place, "operator set version of \(shown)", got: "\(version)", allowed: "1 or more")
        }
        if let other = versions.updateValue(version, forKey: domain), other != version {
            throw SardonyxError(.graph, place, "two operator set versions of \(shown)", got: "\(other) and \(version)")
        }
    }
    return versions
}
