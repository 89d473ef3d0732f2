import Glibc
import TensorCore

/// The discrete Fourier transform of one length, X[k] = Σ x[j] e^(-2πi jk/n), in O(n log n): by mixed radices where n
/// has small prime factors only, else as a convolution with a chirp (Bluestein).
///
/// Elements are interleaved: real part, imaginary part.
struct FourierTransform<T: Number & BinaryFloatingPoint>: Sendable {
    let length: Int
    private let radices: [Int]
    /// e^(-2πi k/n), k < n.
    private let roots: [T]
    private let chirp: Chirp?

    private struct Chirp: Sendable {
        /// Of a power of two, at least 2n - 1; an array, as a value type cannot hold itself.
        let transform: [FourierTransform<T>]
        /// e^(-πi k²/n), k < n.
        let factors: [T]
        /// The transform of the conjugate chirp, divided by its length.
        let spectrum: [T]
    }

    /// Elements of working memory that `run` needs besides the data.
    var workCount: Int { chirp.map { 4 * $0.transform[0].length } ?? 2 * length }

    /// Bytes that the tables of a length may take; `nil` on overflow.
    static func tableByteCount(_ length: Int) -> Int? { CheckedSize.product(length, 16 * MemoryLayout<T>.stride) }

    init(_ length: Int) {
        self.length = length
        var rest = length
        var radices: [Int] = []
        for radix in [4, 2, 3, 5, 7, 11, 13] {
            while rest % radix == 0, rest > 1 {
                radices.append(radix)
                rest /= radix
            }
        }
        guard rest <= 1 else {
            self.radices = []
            roots = []
            chirp = FourierTransform.makeChirp(length)
            return
        }
        self.radices = radices
        chirp = nil
        roots = FourierTransform.unitRoots(length) { $0 }
    }

    /// e^(-2πi f(k)/n) for k < n.
    private static func unitRoots(_ n: Int, count: Int? = nil, _ f: (Int) -> Int) -> [T] {
        var roots: [T] = []
        roots.reserveCapacity(2 * (count ?? n))
        for k in 0..<(count ?? n) {
            let angle = -2 * Double.pi * Double(f(k)) / Double(n)
            roots.append(T(cos(angle)))
            roots.append(T(sin(angle)))
        }
        return roots
    }

    private static func makeChirp(_ n: Int) -> Chirp {
        var size = 1
        while size < 2 * n - 1 { size *= 2 }
        let transform = FourierTransform(size)
        // k² modulo 2n, kept small so that the angle stays exact.
        var squares = [Int](repeating: 0, count: n)
        for k in 1..<max(n, 1) { squares[k] = (squares[k - 1] + 2 * k - 1) % (2 * n) }
        let factors = unitRoots(2 * n, count: n) { squares[$0] }
        var spectrum = [T](repeating: 0, count: 2 * size)
        let scale = 1 / T(size)
        for k in 0..<n {
            let (real, imaginary) = (factors[2 * k] * scale, -factors[2 * k + 1] * scale)
            for place in [k, (size - k) % size] { (spectrum[2 * place], spectrum[2 * place + 1]) = (real, imaginary) }
        }
        var work = [T](repeating: 0, count: transform.workCount)
        spectrum.withUnsafeMutableBufferPointer { data in
            work.withUnsafeMutableBufferPointer { work in
                if let data = data.baseAddress, let work = work.baseAddress { transform.run(data, work) }
            }
        }
        return Chirp(transform: [transform], factors: factors, spectrum: spectrum)
    }

    /// Transforms `length` elements in place.
    /// - Parameter work: `workCount` elements.
    func run(_ data: UnsafeMutablePointer<T>, _ work: UnsafeMutablePointer<T>) {
        if let chirp { return convolve(data, work, chirp) }
        var (from, to) = (data, work)
        var (count, stride) = (length, 1)
        roots.withUnsafeBufferPointer { roots in
            for radix in radices {
                let step = Step(radix: radix, groups: count / radix, stride: stride, length: length, roots: roots)
                switch radix {
                case 4: step.four(from, to)
                case 2: step.two(from, to)
                default: step.any(from, to)
                }
                (from, to) = (to, from)
                count /= radix
                stride *= radix
            }
        }
        if from != data { data.update(from: from, count: 2 * length) }
    }

    private func convolve(_ data: UnsafeMutablePointer<T>, _ work: UnsafeMutablePointer<T>, _ chirp: Chirp) {
        let transform = chirp.transform[0]
        let size = transform.length
        let inner = work + 2 * size
        work.update(repeating: 0, count: 2 * size)
        multiply(data, chirp.factors, into: work, count: length, conjugates: false)
        transform.run(work, inner)
        // The inverse transform by conjugating before and after.
        multiply(work, chirp.spectrum, into: work, count: size, conjugates: true)
        transform.run(work, inner)
        for k in 0..<length { work[2 * k + 1] = -work[2 * k + 1] }
        multiply(work, chirp.factors, into: data, count: length, conjugates: false)
    }

    private func multiply(
        _ a: UnsafePointer<T>, _ b: [T], into c: UnsafeMutablePointer<T>, count: Int, conjugates: Bool
    ) {
        b.withUnsafeBufferPointer { b in
            for k in 0..<count {
                let real = a[2 * k] * b[2 * k] - a[2 * k + 1] * b[2 * k + 1]
                let imaginary = a[2 * k] * b[2 * k + 1] + a[2 * k + 1] * b[2 * k]
                c[2 * k] = real
                c[2 * k + 1] = conjugates ? -imaginary : imaginary
            }
        }
    }

    /// One stage of the self-sorting (Stockham) transform: `groups` butterflies of `radix` inputs at each of `stride`
    /// places.
    private struct Step {
        let radix, groups, stride, length: Int
        let roots: UnsafeBufferPointer<T>

        @inline(__always)
        private func root(_ index: Int) -> (T, T) { (roots[2 * index], roots[2 * index + 1]) }

        func two(_ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>) {
            for q in 0..<groups {
                let (wr, wi) = root(q * stride)
                let (x0, x1) = (x + 2 * stride * q, x + 2 * stride * (q + groups))
                let (y0, y1) = (y + 2 * stride * 2 * q, y + 2 * stride * (2 * q + 1))
                for k in 0..<stride {
                    let (ar, ai, br, bi) = (x0[2 * k], x0[2 * k + 1], x1[2 * k], x1[2 * k + 1])
                    let (dr, di) = (ar - br, ai - bi)
                    y0[2 * k] = ar + br
                    y0[2 * k + 1] = ai + bi
                    y1[2 * k] = dr * wr - di * wi
                    y1[2 * k + 1] = dr * wi + di * wr
                }
            }
        }

        func four(_ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>) {
            for q in 0..<groups {
                let (w1r, w1i) = root(q * stride)
                let (w2r, w2i) = root(2 * q * stride)
                let (w3r, w3i) = root(3 * q * stride)
                let x0 = x + 2 * stride * q
                let step = 2 * stride * groups
                let y0 = y + 2 * stride * 4 * q
                for k in 0..<stride {
                    let (r, i) = (2 * k, 2 * k + 1)
                    let (a, b, c, d) = (x0, x0 + step, x0 + 2 * step, x0 + 3 * step)
                    let (sumR, sumI) = (a[r] + c[r], a[i] + c[i])
                    let (differenceR, differenceI) = (a[r] - c[r], a[i] - c[i])
                    let (oddR, oddI) = (b[r] + d[r], b[i] + d[i])
                    // -i (b - d)
                    let (turnedR, turnedI) = (b[i] - d[i], d[r] - b[r])
                    y0[r] = sumR + oddR
                    y0[i] = sumI + oddI
                    store(y0 + 2 * stride, r, differenceR + turnedR, differenceI + turnedI, w1r, w1i)
                    store(y0 + 4 * stride, r, sumR - oddR, sumI - oddI, w2r, w2i)
                    store(y0 + 6 * stride, r, differenceR - turnedR, differenceI - turnedI, w3r, w3i)
                }
            }
        }

        @inline(__always)
        private func store(_ y: UnsafeMutablePointer<T>, _ at: Int, _ r: T, _ i: T, _ wr: T, _ wi: T) {
            y[at] = r * wr - i * wi
            y[at + 1] = r * wi + i * wr
        }

        func any(_ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>) {
            for q in 0..<groups {
                for j in 0..<radix {
                    let (wr, wi) = root(q * j * stride)
                    let target = y + 2 * stride * (radix * q + j)
                    for k in 0..<stride {
                        var (sumR, sumI): (T, T) = (0, 0)
                        for r in 0..<radix {
                            let source = x + 2 * (k + stride * (q + groups * r))
                            let (tr, ti) = root(r * j % radix * (length / radix))
                            sumR += source[0] * tr - source[1] * ti
                            sumI += source[0] * ti + source[1] * tr
                        }
                        store(target, 2 * k, sumR, sumI, wr, wi)
                    }
                }
            }
        }
    }
}
