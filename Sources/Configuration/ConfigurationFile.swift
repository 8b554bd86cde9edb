import Glibc

/// The files of a configuration, as text.
enum ConfigurationFile {
    static func read(_ path: String) throws(ConfigurationError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let hint =
                switch errno {
                case ENOENT: "there is no such file; check the path"
                case EACCES: "it may not be read; give this user the right to"
                default: "it cannot be opened: \(String(cString: strerror(errno)))"
                }
            throw ConfigurationError(hint, file: path)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                let hint =
                    errno == EISDIR
                    ? "this is a directory; name the file in it"
                    : "it cannot be read: \(String(cString: strerror(errno)))"
                throw ConfigurationError(hint, file: path)
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
            guard bytes.count <= Configuration.maximumFileBytes else { throw tooLarge(path) }
        }
        return try text(bytes, path)
    }

    static func tooLarge(_ path: String) -> ConfigurationError {
        ConfigurationError(
            "the file is larger than \(Configuration.maximumFileBytes >> 20) MiB; a configuration is smaller than that",
            file: path)
    }

    private static func text(_ bytes: [UInt8], _ path: String) throws(ConfigurationError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let wrong = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ConfigurationError(
            "there are bytes that are not UTF-8; save the file as UTF-8", file: path, line: wrong.map { $0 + 1 })
    }

    /// A path in the configuration `file`, which starts from that file's directory unless it is absolute.
    static func resolve(_ path: String, from file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
