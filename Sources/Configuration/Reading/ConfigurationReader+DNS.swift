import LimiterCore

extension ConfigurationReader {
    func readDNS(_ file: Section) -> DNSSettings {
        var settings = DNSSettings()
        guard let section = file.section("dns", keys: ["servers", "min_ttl", "max_ttl", "timeout"]) else {
            return settings
        }
        settings.servers = readServers(section)
        let times = Duration.milliseconds(100)...Duration.seconds(86_400)
        if let time = section.duration("min_ttl", in: times) { settings.minimumTTL = time }
        if let time = section.duration("max_ttl", in: times) { settings.maximumTTL = time }
        if settings.minimumTTL > settings.maximumTTL {
            faults.add(
                "`dns.min_ttl` is longer than `dns.max_ttl` (\(DurationText.describe(settings.maximumTTL))); make it shorter",
                section.place(of: "min_ttl") ?? section.place(of: "max_ttl") ?? section.position)
        }
        if let timeout = section.duration("timeout", in: .seconds(1)...Duration.seconds(30)) {
            settings.timeout = timeout
            if timeout.components.attoseconds != 0 {
                faults.add(
                    "`dns.timeout` is \(DurationText.describe(timeout)), but is kept in whole seconds; write it like 2s",
                    section.place(of: "timeout") ?? section.position)
            }
        }
        return settings
    }

    private func readServers(_ section: Section) -> [ListenAddress] {
        let list = section.list("servers", of: "addresses like 10.0.0.2:53") ?? []
        if section.has("servers"), list.isEmpty {
            faults.add(
                "`dns.servers` names none; name one, like 10.0.0.2:53, or leave it out for those of /etc/resolv.conf",
                section.place(of: "servers") ?? section.position)
        }
        if list.count > DNSSettings.mostServers {
            faults.add(
                "`dns.servers` has \(list.count) servers, and the resolver asks \(DNSSettings.mostServers) at most; remove some",
                section.place(of: "servers") ?? section.position)
        }
        return list.compactMap { element in
            guard case .scalar(let text, _) = element.content,
                let address = try? HostPort(parsing: text, ports: 1...65_535),
                ClientAddress(parsing: address.host) != nil
            else {
                faults.add(
                    "\(element.kind) in `dns.servers` is not a server's address; write it like 10.0.0.2:53 or [2001:db8::1]:53",
                    element.position)
                return nil
            }
            return ListenAddress(host: address.host, port: address.port ?? 53)
        }
    }
}
