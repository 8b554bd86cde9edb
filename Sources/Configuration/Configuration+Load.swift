extension Configuration {
    /// Bytes that a configuration file may have.
    package static let maximumFileBytes = 4 << 20

    /// Reads and checks a file, and the files that it names. Throws all faults at once.
    ///
    /// `previous` is the configuration whose place it takes: counters of limits that both have go on.
    package static func load(
        path: String, after previous: Configuration? = nil
    ) throws(ConfigurationErrors) -> Configuration {
        let text: String
        do {
            text = try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationErrors([error])
        }
        return try parse(text, file: path, after: previous)
    }

    /// `file` names the text in errors, and relative paths in the text start from its directory.
    package static func parse(
        _ yaml: String, file: String, after previous: Configuration? = nil
    ) throws(ConfigurationErrors) -> Configuration {
        let faults = Faults(file: file)
        guard yaml.utf8.count <= maximumFileBytes else {
            throw ConfigurationErrors([ConfigurationFile.tooLarge(file)])
        }
        guard let root = YAMLDocument.parse(yaml, faults) else { throw faults.errors }
        let configuration = ConfigurationReader(faults: faults, previous: previous?.limits).read(root)
        guard faults.isEmpty, let configuration else { throw faults.errors }
        return configuration
    }
}
