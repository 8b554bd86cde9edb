import Foundation

/// The process's environment variables.
package enum TestEnvironment {
    package static subscript(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
