/// Reads where services are.
struct UpstreamReader {
    let faults: Faults

    func read(_ service: Section) -> [Upstream] {
        let list = service.list("upstreams", of: "URLs like http://127.0.0.1:9001")
        if !service.has("upstreams") || list?.isEmpty == true {
            faults.add(
                "the service has no upstreams; add `upstreams: [http://127.0.0.1:9001]`",
                service.place(of: "upstreams") ?? service.position)
        }
        var upstreams: [Upstream] = []
        for element in list ?? [] {
            guard case .scalar(let text, _) = element.content else {
                faults.add(
                    "an upstream should be a URL like http://127.0.0.1:9001, but is \(element.kind)", element.position)
                continue
            }
            let upstream = faults.at(element.position) { () throws(ConfigurationError) in try Upstream(parsing: text) }
            guard let upstream else { continue }
            if upstreams.contains(upstream) {
                faults.add("the upstream \(upstream) is listed twice; once is enough", element.position)
            } else {
                upstreams.append(upstream)
            }
        }
        return upstreams
    }
}
