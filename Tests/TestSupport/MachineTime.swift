import Foundation
import LimiterCore

/// This machine's clock.
package struct MachineTime: TimeSource {
    package init() {}

    package var nowMicroseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}
