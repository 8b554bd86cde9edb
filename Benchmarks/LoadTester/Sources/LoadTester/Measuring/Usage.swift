import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Processor time.
struct Usage: Sendable {
    /// Of the calling thread: time on a processor, and time spent waiting for one (0 where the system does not say); nanoseconds.
    static func thread() -> (busy: Int64, waited: Int64) {
        #if os(Linux)
        if let text = try? String(contentsOfFile: "/proc/thread-self/schedstat", encoding: .utf8) {
            let numbers = text.split(separator: " ").compactMap { Int64($0) }
            if numbers.count >= 2 { return (numbers[0], numbers[1]) }
        }
        #endif
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return (Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec), 0)
    }

    /// Of the whole process, user and system; nanoseconds.
    static func process() -> Int64 {
        var usage = rusage()
        getrusage(ownProcess, &usage)
        func nanoseconds(_ time: timeval) -> Int64 {
            Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1000
        }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    #if canImport(Glibc)
    private static let ownProcess = __rusage_who_t(RUSAGE_SELF.rawValue)
    #else
    private static let ownProcess = RUSAGE_SELF
    #endif

    /// Of a wall clock, since 1970.
    static func wallNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
