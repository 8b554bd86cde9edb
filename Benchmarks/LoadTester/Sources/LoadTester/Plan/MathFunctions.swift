#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the standard library lacks.
enum MathFunctions {
    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
    static func naturalLogarithm(_ number: Double) -> Double { log(number) }
    static func decimalLogarithm(_ number: Double) -> Double { log10(number) }
}
