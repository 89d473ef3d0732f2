import TensorCore

/// The portable formats of Netpbm: bitmaps, greys and RGB as text (P1-P3) or as bytes (P4-P6). Samples are scaled to
/// 0...255, halves to the even number.
enum PNMCodec {
    static func decode(_ bytes: [UInt8], reserve: DecodedPicture.Reserve) throws(SardonyxError) -> DecodedPicture {
        var scanner = Scanner(source: ByteReader(bytes: bytes, format: "PNM"))
        let kind = try scanner.source.number(at: 1, 1) - 0x30
        let (isBitmap, isText, channels) = (kind == 1 || kind == 4, kind < 4, kind == 3 || kind == 6 ? 3 : 1)
        let (width, height) = (try scanner.number(), try scanner.number())
        let greatest = isBitmap ? 1 : try scanner.number()
        guard 1...65535 ~= greatest else { throw scanner.source.fault("greatest sample \(greatest)") }
        // One byte of white space ends the header.
        scanner.position += 1
        let size = greatest > 255 ? 2 : 1
        let rowBytes = isBitmap ? width / 8 + (width % 8 == 0 ? 0 : 1) : width * channels * size
        let needed = CheckedSize.product(isText ? width * channels : rowBytes, height)
        guard let needed, needed <= bytes.count - scanner.position + (isText ? 1 : 0) else {
            throw scanner.source.endsEarly
        }
        let count = try DecodedPicture.byteCount("PNM", width: width, height: height, reserve)
        var rgb: [UInt8] = []
        rgb.reserveCapacity(count)
        for row in 0..<height {
            for sample in 0..<width * channels {
                let value: Int
                if isText {
                    value = try isBitmap ? 1 - scanner.bit() : scanner.number()
                } else if isBitmap {
                    value = 1 - Int(bytes[scanner.position + row * rowBytes + sample / 8] >> UInt8(7 - sample % 8)) & 1
                } else {
                    let at = scanner.position + row * rowBytes + sample * size
                    value = size == 1 ? Int(bytes[at]) : Int(bytes[at]) << 8 | Int(bytes[at + 1])
                }
                guard value <= greatest else { throw scanner.source.fault("a sample above \(greatest)") }
                let scaled = scaled(value, greatest)
                for _ in 0..<(channels == 3 ? 1 : 3) { rgb.append(scaled) }
            }
        }
        return DecodedPicture(width: width, height: height, rgb: rgb, orientation: .up)
    }

    private static func scaled(_ value: Int, _ greatest: Int) -> UInt8 {
        let (whole, rest) = (value * 255).quotientAndRemainder(dividingBy: greatest)
        let isAbove = rest * 2 > greatest || rest * 2 == greatest && whole % 2 == 1
        return UInt8(whole + (isAbove ? 1 : 0))
    }

    /// Numbers of the header and of text pictures, between white space and comments.
    private struct Scanner {
        let source: ByteReader
        var position = 2

        init(source: ByteReader) { self.source = source }

        private mutating func skipSpace() throws(SardonyxError) {
            while true {
                switch try source.number(at: position, 1) {
                case 0x09...0x0D, 0x20: position += 1
                case 0x23:
                    while !(try [0x0A, 0x0D].contains(source.number(at: position, 1))) { position += 1 }
                default: return
                }
            }
        }

        /// At most one million, so that sizes do not overflow.
        mutating func number() throws(SardonyxError) -> Int {
            try skipSpace()
            var value: Int?
            while position < source.bytes.count, (0x30...0x39).contains(source.bytes[position]) {
                value = (value ?? 0) * 10 + Int(source.bytes[position]) - 0x30
                position += 1
                guard value ?? 0 <= 1_000_000 else { throw source.fault("a number above 1000000") }
            }
            guard let value else { throw source.fault("a number is missing") }
            return value
        }

        /// A digit of a text bitmap, which white space need not end.
        mutating func bit() throws(SardonyxError) -> Int {
            try skipSpace()
            let bit = try source.number(at: position, 1) - 0x30
            guard 0...1 ~= bit else { throw source.fault("a bit that is not 0 or 1") }
            position += 1
            return bit
        }
    }
}
