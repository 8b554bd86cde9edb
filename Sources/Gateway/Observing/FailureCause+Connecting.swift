import Glibc
import NIOCore
import NIOPosix
import Telemetry

extension FailureCause {
    /// Why no connection came about.
    init(connecting error: any Error) {
        switch error {
        case ChannelError.connectTimeout: self = .connectTimeout
        case let error as IOError: self = Self.of(error)
        case let error as NIOConnectionError:
            // Of several addresses of one name, the last one's.
            guard let last = error.connectionErrors.last?.error else {
                self = .connectFailed
                return
            }
            if case ChannelError.connectTimeout = last {
                self = .connectTimeout
            } else {
                self = (last as? IOError).map { Self.of($0) } ?? .connectFailed
            }
        default: self = .connectFailed
        }
    }

    private static func of(_ error: IOError) -> FailureCause {
        switch error.errnoCode {
        case ECONNREFUSED: .connectRefused
        case ETIMEDOUT: .connectTimeout
        default: .connectFailed
        }
    }
}
