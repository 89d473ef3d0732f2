import Glibc

/// The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded and read as NumPy's `RandomState` does, so that
/// a seed gives the same numbers here and there.
struct MersenneTwister {
    private static let size = 624
    private static let offset = 397

    private var state = [UInt32](repeating: 0, count: size)
    /// What the state gives, tempered.
    private var numbers = [UInt32](repeating: 0, count: size)
    private var position = size
    /// The second number of a pair of Gaussians.
    private var spare: Double?

    /// - Parameter seed: `nil`: one from the system.
    init(seed: UInt32?) {
        var generator = SystemRandomNumberGenerator()
        var value = seed ?? generator.next()
        for index in state.indices {
            state[index] = value
            value = 1_812_433_253 &* (value ^ (value >> 30)) &+ UInt32(index + 1)
        }
    }

    private mutating func refill() {
        let (size, offset) = (MersenneTwister.size, MersenneTwister.offset)
        state.withUnsafeMutableBufferPointer { state in
            func twist(_ index: Int, _ next: Int, _ far: Int) {
                let bits = (state[index] & 0x8000_0000) | (state[next] & 0x7fff_ffff)
                state[index] = state[far] ^ (bits >> 1) ^ ((0 &- (bits & 1)) & 0x9908_b0df)
            }
            for index in 0..<size - offset { twist(index, index + 1, index + offset) }
            for index in size - offset..<size - 1 { twist(index, index + 1, index + offset - size) }
            twist(size - 1, 0, offset - 1)
            numbers.withUnsafeMutableBufferPointer { numbers in
                for index in 0..<size {
                    var y = state[index]
                    y ^= y >> 11
                    y ^= (y << 7) & 0x9d2c_5680
                    y ^= (y << 15) & 0xefc6_0000
                    numbers[index] = y ^ (y >> 18)
                }
            }
        }
        position = 0
    }

    @inline(__always)
    mutating func next() -> UInt32 {
        if position == MersenneTwister.size { refill() }
        defer { position += 1 }
        return numbers[position]
    }

    /// Uniform in [0, 1), 53 bits.
    @inline(__always)
    mutating func uniform() -> Double {
        let (high, low) = (next() >> 5, next() >> 6)
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }

    /// Of mean 0 and variance 1, by Marsaglia's polar method.
    mutating func gaussian() -> Double {
        if let given = spare {
            spare = nil
            return given
        }
        var (x, y, square) = (0.0, 0.0, 0.0)
        repeat {
            x = 2 * uniform() - 1
            y = 2 * uniform() - 1
            square = x * x + y * y
        } while square >= 1 || square == 0
        let factor = (-2 * log(square) / square).squareRoot()
        spare = factor * x
        return factor * y
    }

    /// Each of some probabilities, at most 1024, becomes 1 with that probability, else 0.
    @inline(__always)
    mutating func bernoulli(_ values: UnsafeMutableBufferPointer<Double>) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: values.count) { drawn in
            for i in 0..<values.count { drawn[i] = uniform() }
            // A loop of its own, without branches: those on chance are guessed wrong half the time.
            for i in 0..<values.count {
                let (p, u) = (values[i], drawn[i])
                let (isAbove, isUpTo) = (u > 1 - p ? 1.0 : 0, u <= p ? 1.0 : 0)
                values[i] = p <= 0.5 ? isAbove : isUpTo
            }
        }
    }
}
