import TensorCore

/// Windows bitmaps: palettes of 1, 4 and 8 bits, run lengths of 4 and 8 bits, 16, 24 and 32 bits a pixel with the usual
/// or with given masks, upwards and downwards. Alpha is dropped.
enum BMPCodec {
    static func decode(_ bytes: [UInt8], reserve: DecodedPicture.Reserve) throws(SardonyxError) -> DecodedPicture {
        let source = ByteReader(bytes: bytes, format: "BMP")
        let header = try Header(source)
        let (width, height) = (header.width, header.height)
        var rgb = [UInt8](
            repeating: 0, count: try DecodedPicture.byteCount("BMP", width: width, height: height, reserve))
        func put(_ x: Int, _ line: Int, _ color: (UInt8, UInt8, UInt8)) {
            let pixel = ((header.isUpwards ? height - 1 - line : line) * width + x) * 3
            (rgb[pixel], rgb[pixel + 1], rgb[pixel + 2]) = color
        }
        if header.runBits > 0 {
            // Pixels that the codes skip have the first color.
            let first = try header.color(0, source)
            for line in 0..<height {
                for x in 0..<width { put(x, line, first) }
            }
            try Runs(source: source, header: header).forEach { (x, line, index) throws(SardonyxError) in
                put(x, line, try header.color(index, source))
            }
            return DecodedPicture(width: width, height: height, rgb: rgb, orientation: .up)
        }
        let rowBytes = (width * header.bits + 31) / 32 * 4
        guard rowBytes * height <= bytes.count - header.pixels else { throw source.endsEarly }
        for line in 0..<height {
            let row = header.pixels + line * rowBytes
            for x in 0..<width {
                if header.bits <= 8 {
                    let shift = 8 - header.bits - x * header.bits % 8
                    let index = Int(bytes[row + x * header.bits / 8] >> UInt8(shift)) & (1 << header.bits - 1)
                    put(x, line, try header.color(index, source))
                } else if header.bits == 24 {
                    let pixel = row + x * 3
                    put(x, line, (bytes[pixel + 2], bytes[pixel + 1], bytes[pixel]))
                } else {
                    let value = try source.number(at: row + x * header.bits / 8, header.bits / 8)
                    put(x, line, header.masked(value))
                }
            }
        }
        return DecodedPicture(width: width, height: height, rgb: rgb, orientation: .up)
    }

    private struct Header {
        let width, height: Int
        let isUpwards: Bool
        let bits: Int
        /// Bits of a run-length code's index; 0: no run lengths.
        let runBits: Int
        /// Where the pixels begin.
        let pixels: Int
        private let palette: (start: Int, entry: Int, count: Int)
        /// Of red, green and blue.
        private let masks: [Int]

        init(_ source: ByteReader) throws(SardonyxError) {
            pixels = try source.number(at: 10, 4)
            let size = try source.number(at: 14, 4)
            let isCore = size == 12
            guard isCore || 40...1024 ~= size else { throw source.fault("a header of \(size) bytes") }
            width = try isCore ? source.number(at: 18, 2) : source.signedNumber(at: 18)
            let lines = try isCore ? source.number(at: 20, 2) : source.signedNumber(at: 22)
            (height, isUpwards) = (abs(lines), lines > 0)
            bits = try source.number(at: isCore ? 24 : 28, 2)
            let compression = try isCore ? 0 : source.number(at: 30, 4)
            let hasMasks = compression == 3 || compression == 6
            runBits = compression == 1 ? 8 : compression == 2 ? 4 : 0
            guard width > 0, [1, 4, 8, 16, 24, 32].contains(bits), 0...3 ~= compression || compression == 6,
                runBits == 0 || runBits == bits, !hasMasks || bits == 16 || bits == 32
            else {
                throw SardonyxError(
                    .image, "", "BMP kind", got: "\(bits) bits, compression \(compression)",
                    allowed: "1, 4, 8, 16, 24 or 32 bits, run lengths of 4 and 8 bits, masks of 16 and 32")
            }
            let given = isCore ? 0 : try source.number(at: 46, 4)
            let entry = isCore ? 3 : 4
            let start = 14 + size + (size == 40 && hasMasks ? 12 : 0)
            palette = (start, entry, bits > 8 ? 0 : given == 0 ? 1 << bits : min(given, 1 << bits))
            if hasMasks {
                masks = [try source.number(at: 54, 4), try source.number(at: 58, 4), try source.number(at: 62, 4)]
            } else {
                masks = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF]
            }
        }

        func color(_ index: Int, _ source: ByteReader) throws(SardonyxError) -> (UInt8, UInt8, UInt8) {
            guard index < palette.count else { throw source.fault("color \(index) of \(palette.count)") }
            let at = palette.start + index * palette.entry
            guard at <= source.bytes.count - 3 else { throw source.endsEarly }
            return (source.bytes[at + 2], source.bytes[at + 1], source.bytes[at])
        }

        /// The parts of a number that the masks cut out, scaled to 0...255.
        func masked(_ value: Int) -> (UInt8, UInt8, UInt8) {
            func part(_ mask: Int) -> UInt8 {
                guard mask != 0 else { return 0 }
                let shift = mask.trailingZeroBitCount
                return UInt8(clamping: ((value & mask) >> shift) * 255 / (mask >> shift))
            }
            return (part(masks[0]), part(masks[1]), part(masks[2]))
        }
    }

    /// Run-length codes: a count and an index (4 bits: two that alternate), or 0 and an end, a move or a literal run.
    private struct Runs {
        let source: ByteReader
        let header: Header

        func forEach(_ put: (Int, Int, Int) throws(SardonyxError) -> Void) throws(SardonyxError) {
            var (at, x, line) = (header.pixels, 0, 0)
            func next() throws(SardonyxError) -> Int {
                at += 1
                return try source.number(at: at - 1, 1)
            }
            func index(_ byte: Int, _ position: Int) -> Int {
                header.runBits == 8 ? byte : position % 2 == 0 ? byte >> 4 : byte & 15
            }
            func place(_ index: Int) throws(SardonyxError) {
                guard x < header.width, line < header.height else { throw source.fault("a run leaves the picture") }
                try put(x, line, index)
                x += 1
            }
            while true {
                let (count, code) = (try next(), try next())
                if count > 0 {
                    for position in 0..<count { try place(index(code, position)) }
                } else if code == 0 {
                    (x, line) = (0, line + 1)
                } else if code == 1 {
                    return
                } else if code == 2 {
                    x += try next()
                    line += try next()
                } else {
                    var byte = 0
                    let start = at
                    for position in 0..<code {
                        if header.runBits == 8 || position % 2 == 0 { byte = try next() }
                        try place(index(byte, position))
                    }
                    // Literal runs fill up to whole words.
                    at += (at - start) % 2
                }
            }
        }
    }
}
