import Glibc
package import Logging

/// Logs a line a message to standard error, as text or as a JSON object.
///
/// Its level is the process's; a logger that was given one of its own logs what passes both. No message or value can end a line: in
/// text, control characters are escaped as in JSON.
package struct LineLogHandler: LogHandler {
    package enum Format: Sendable {
        case text, json
    }

    private let label: String
    private let format: Format
    private let shared: SharedLogLevel
    private let write: @Sendable ([UInt8]) -> Void
    private var own: Logger.Level?
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(
        label: String, _ format: Format, level: SharedLogLevel,
        write: @escaping @Sendable ([UInt8]) -> Void = LineLogHandler.writeToStandardError
    ) {
        self.label = label
        self.format = format
        shared = level
        self.write = write
    }

    package var logLevel: Logger.Level {
        get { own.map { max($0, shared.level) } ?? shared.level }
        set { own = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        let pairs = all.sorted { $0.key < $1.key }
        switch format {
        case .text: write(text(event.level, "\(event.message)", pairs))
        case .json: write(json(event.level, "\(event.message)", pairs))
        }
    }

    private func text(
        _ level: Logger.Level, _ message: String, _ pairs: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var line: [UInt8] = []
        var time = CachedTimestamp()
        time.append(epochMicroseconds: SystemTime.epochMicroseconds, to: &line)
        line += " \(level.rawValue) \(label):".utf8
        for (key, value) in pairs {
            line.append(0x20)
            Self.append(key, to: &line)
            line.append(UInt8(ascii: "="))
            Self.append("\(value)", to: &line)
        }
        line.append(0x20)
        Self.append(message, to: &line)
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private func json(
        _ level: Logger.Level, _ message: String, _ pairs: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var line = Array("{\"time\":\"".utf8)
        var time = CachedTimestamp()
        time.append(epochMicroseconds: SystemTime.epochMicroseconds, to: &line)
        line += "\",\"level\":\"\(level.rawValue)\",\"logger\":".utf8
        Self.appendString(label, to: &line)
        line += ",\"message\":".utf8
        Self.appendString(message, to: &line)
        let taken: Set<String> = ["time", "level", "logger", "message"]
        for (key, value) in pairs {
            line.append(UInt8(ascii: ","))
            Self.appendString(taken.contains(key) ? "\(key)_" : key, to: &line)
            line.append(UInt8(ascii: ":"))
            Self.appendString("\(value)", to: &line)
        }
        line += "}\n".utf8
        return line
    }

    private static func append(_ text: String, to line: inout [UInt8]) {
        for byte in text.utf8 {
            if byte < 0x20 || byte == 0x7F {
                line += "\\u00".utf8
                Hexadecimal.append(UInt64(byte), digits: 2, to: &line)
            } else {
                line.append(byte)
            }
        }
    }

    private static func appendString(_ text: String, to line: inout [UInt8]) {
        Array(text.utf8).withUnsafeBytes { JSONText.append($0, to: &line) }
    }

    /// In one write, so that lines of several threads do not mix.
    package static let writeToStandardError: @Sendable ([UInt8]) -> Void = { line in
        line.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let count = Glibc.write(STDERR_FILENO, bytes.baseAddress! + position, bytes.count - position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                position += count
            }
        }
    }
}
