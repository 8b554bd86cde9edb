import Foundation
import NIOCore
import NIOPosix

/// Why a connection could not be made, in few words.
enum ConnectionFailure {
    /// Of a connection that was made, and never opened.
    static func describe(_ failure: FailureKind?) -> String {
        switch failure {
        case .tls: "TLS failed: the certificate is not accepted, or the protocol not agreed upon"
        case .malformed: "it does not speak this protocol"
        default: "it closes the connection at once"
        }
    }

    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return describe(first.error) }
            return "\(error.host) is not known"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case is ChannelError: return "no answer in time"
        default: return String(describing: error)
        }
    }
}
