extension ConfigurationReader {
    func readUsage(_ file: Section) -> UsageSettings? {
        guard let section = file.section("usage", keys: ["file", "interval"]) else { return nil }
        if !section.has("file") {
            faults.add(
                "`usage` names no file; add `file: usage.log`, where the counts of calendar quotas are recorded",
                section.position)
        }
        let path = section.text("file", "a file's path")?.text
        var settings = UsageSettings(file: path.map { ConfigurationFile.resolve($0, from: faults.file) } ?? "")
        if let interval = section.duration("interval", in: .milliseconds(100)...Duration.seconds(3600)) {
            settings.interval = interval
        }
        return settings
    }
}
