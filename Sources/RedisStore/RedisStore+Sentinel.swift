import LimiterCore
import NIOCore
import WeirConfiguration

/// Where sentinels know the primary: performs what `SentinelSearch` says, and watches whether the primary is still that.
extension RedisStore {
    /// A primary that was replaced takes writes until it hears of that, and they are lost.
    private static let watchEvery = TimeAmount.seconds(1)

    func searchPrimary() {
        guard let action = search?.begin() else { return }
        perform(action)
    }

    private func perform(_ action: SentinelSearch.Action) {
        switch action {
        case .ask(let sentinel):
            phase = .searching(
                ask(sentinel) { result in
                    guard case .searching = self.phase else { return }
                    self.heard(result)
                })
        case .connect(let server): connect(to: server)
        case .giveUp(let error): reconnectLater(after: error)
        }
    }

    private func heard(_ result: Result<RedisAddress.Server?, StoreError>) {
        let action =
            switch result {
            case .success(let server): search?.named(server)
            case .failure(let error): search?.sentinelFailed(error)
            }
        if let action { perform(action) }
    }

    /// The server that a sentinel named could not be used.
    func primaryFailed(_ error: StoreError) {
        if let action = search?.serverFailed(error) { perform(action) }
    }

    func foundPrimary(_ connection: RedisConnection) {
        guard search != nil else { return }
        search?.found()
        watch(connection)
    }

    private func watch(_ connection: RedisConnection) {
        eventLoop.assumeIsolated().scheduleTask(in: Self.watchEvery) {
            guard case .ready(let current) = self.phase, current === connection, let search = self.search else {
                return
            }
            _ = self.ask(search.sentinels[0]) { result in
                guard case .ready(let current) = self.phase, current === connection else { return }
                switch result {
                case .success(let server?) where server != connection.server:
                    connection.close(StoreError(.disconnected, "the sentinels name another primary, \(server)"))
                case .success(.some): self.watch(connection)
                case .success(nil), .failure:
                    self.search?.putLast(search.sentinels[0])
                    self.watch(connection)
                }
            }
        }
    }

    /// Asks a sentinel for the primary's address; nil: it does not know its name.
    private func ask(
        _ sentinel: RedisAddress.Server, _ completion: @escaping (Result<RedisAddress.Server?, StoreError>) -> Void
    ) -> Inquiry {
        var commands: [[String]] = []
        if let password = access.sentinel.password {
            commands.append(["AUTH"] + (access.sentinel.user.map { [$0] } ?? []) + [password])
        }
        commands.append(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", search?.primary ?? ""])
        return dialer.ask(sentinel, commands) { result in
            completion(result.flatMap { Self.address($0.last) }.mapError { $0.said(by: "the sentinel \(sentinel)") })
        }
    }

    private static func address(_ value: RedisValue?) -> Result<RedisAddress.Server?, StoreError> {
        if value == .null { return .success(nil) }
        guard let pair = value?.array, pair.count == 2, let host = pair[0].text, !host.isEmpty,
            let port = pair[1].text.flatMap({ Int($0) }), (1...65_535).contains(port)
        else { return .failure(StoreError(.incompatible, "it does not answer as sentinels do")) }
        return .success(RedisAddress.Server(host: host, port: port))
    }
}

extension StoreError {
    fileprivate func said(by speaker: String) -> StoreError { StoreError(code, "\(speaker): \(detail)") }
}
