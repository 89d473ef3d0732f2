import Glibc
import TensorCore

@testable import Media

/// The committed picture files and what OpenCV makes of them (`Fixtures/make_fixtures.py`).
enum Fixtures {
    struct Expected: Sendable, CustomStringConvertible {
        let name: String
        let width: Int
        let height: Int
        let sha256: String

        var description: String { name }
    }

    static let folder = directory(of: #filePath) + "/Fixtures"
    /// Shared material beside the repository; not everywhere present.
    static let shared = directory(of: directory(of: directory(of: directory(of: #filePath)))) + "/shared"

    static func path(_ name: String) -> String { folder + "/" + name }

    static func bytes(_ name: String) throws -> [UInt8] { try WholeFile.bytes(of: path(name), as: .image) }

    static let expected: [Expected] = {
        let text = (try? bytes("expected.txt")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 4, let width = Int(fields[1]), let height = Int(fields[2]) else { return nil }
            return Expected(name: String(fields[0]), width: width, height: height, sha256: String(fields[3]))
        }
    }()

    static func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }

    /// An empty folder for one test; the system clears it.
    static func temporaryFolder() -> String {
        var template = Array("/tmp/sardonyx-media-XXXXXX".utf8CString)
        return mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
    }

    private static func directory(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }
}

/// SHA-256 (FIPS 180-4), for comparing with hashes that Python's hashlib made.
func sha256(_ message: [UInt8]) -> String {
    let primes = (2...311).filter { n in !(2..<n).contains { n % $0 == 0 } }.map(Double.init)
    func fraction(_ value: Double) -> UInt32 { UInt32((value - value.rounded(.down)) * 4_294_967_296) }
    let constants = primes.map { fraction(cbrt($0)) }
    var state = primes.prefix(8).map { fraction($0.squareRoot()) }
    var data = message + [0x80]
    while data.count % 64 != 56 { data.append(0) }
    data += (0..<8).reversed().map { UInt8(truncatingIfNeeded: (message.count * 8) >> ($0 * 8)) }
    func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
    var w = [UInt32](repeating: 0, count: 64)
    for block in stride(from: 0, to: data.count, by: 64) {
        for i in 0..<16 { w[i] = (0..<4).reduce(0) { $0 << 8 | UInt32(data[block + 4 * i + $1]) } }
        for i in 16..<64 {
            let a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3
            let b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10
            w[i] = w[i - 16] &+ a &+ w[i - 7] &+ b
        }
        var s = state
        for i in 0..<64 {
            let e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)
            let choice: UInt32 = (s[4] & s[5]) ^ (~s[4] & s[6])
            let majority: UInt32 = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
            let schedule: UInt32 = constants[i] &+ w[i]
            let first: UInt32 = s[7] &+ e &+ choice &+ schedule
            let a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)
            let second: UInt32 = a &+ majority
            s.removeLast()
            s.insert(first &+ second, at: 0)
            s[4] &+= first
        }
        for i in 0..<8 { state[i] &+= s[i] }
    }
    return state.map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
}
