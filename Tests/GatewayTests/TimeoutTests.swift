import Gateway
import Glibc
import Synchronization
import Testing
import WeirConfiguration

struct TimeoutTests {
    @Test func aHeadThatDoesNotComeIs408() async throws {
        let upstream = TestUpstream.greeting()
        try await withGateway(before: upstream, { $0.gateway.timeouts.header = .milliseconds(100) }) {
            gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHo")
            #expect(try client.next()?.status == 408)
            #expect(client.wire.isClosedByPeer())
            // Bytes that trickle do not extend it.
            let slow = try gateway.connect()
            let text = Array("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 4000))".utf8)
            for byte in text {
                guard slow.wire.isSilent, (try? slow.wire.send([byte])) != nil else { break }
                usleep(1000)
            }
            #expect(try slow.next()?.status == 408)
        }
        #expect(upstream.connections == 0)
    }

    @Test func anIdleConnectionCloses() async throws {
        try await withGateway(before: .greeting(), { $0.gateway.timeouts.idle = .seconds(2) }) {
            gateway async throws in
            let fresh = try gateway.connect()
            let used = try gateway.connect()
            try used.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try used.next()?.status == 200)
            #expect(fresh.wire.isClosedByPeer())
            #expect(used.wire.isClosedByPeer())
        }
    }

    @Test func aBodyThatDoesNotComeIs408() async throws {
        let upstream = TestUpstream { upstream, wire, _ in
            while try wire.receive() != nil {}
            upstream.note(Message())
        }
        try await withGateway(before: upstream, { $0.gateway.timeouts.body = .milliseconds(100) }) {
            gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            #expect(try client.next()?.status == 408)
            #expect(client.wire.isClosedByPeer())
            #expect(await eventually { upstream.requests.count == 1 })
        }
    }

    @Test func aBodyThatTricklesIs408() async throws {
        let upstream = TestUpstream { _, wire, _ in while try wire.receive() != nil {} }
        let settings: (inout Setup) -> Void = {
            $0.gateway.timeouts.body = .milliseconds(200)
            $0.gateway.minimumBodyRate = 10_000
        }
        try await withGateway(before: upstream, settings) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            for _ in 0..<100_000 {
                guard client.wire.isSilent, (try? client.wire.send("x")) != nil else { break }
                usleep(1000)
            }
            #expect(try client.next()?.status == 408)
            #expect(client.wire.isClosedByPeer())
        }
    }

    @Test func aClientThatDoesNotReadIsLeft() async throws {
        let gone = Mutex(false)
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            let piece = [UInt8](repeating: 0, count: 1 << 20)
            while (try? wire.send(piece)) != nil {}
            gone.withLock { $0 = true }
        }
        try await withGateway(before: upstream, { $0.gateway.timeouts.idle = .seconds(2) }) {
            gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { gone.withLock { $0 } })
        }
    }
}

struct ShutdownTests {
    @Test func whatIsInFlightIsFinishedAndIdleConnectionsCloseAtOnce() async throws {
        let release = Mutex(false)
        let upstream = TestUpstream { upstream, wire, _ in
            upstream.note(try MessageReader(wire).next(isResponse: false)!)
            while !release.withLock({ $0 }) { usleep(1000) }
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            _ = try wire.receive()
        }
        try await withGateway(before: upstream) { gateway async throws in
            let idle = try gateway.connect()
            let busy = try gateway.connect()
            try busy.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.requests.count == 1 })
            let server = gateway.server
            let ending = Task { await server.shutdown() }
            #expect(idle.wire.isClosedByPeer())
            let refuses = await eventually { (try? gateway.connect()) == nil }
            #expect(refuses)
            release.withLock { $0 = true }
            let answer = try #require(try busy.next())
            #expect(answer.text == "hello")
            #expect(answer["Connection"] == "close")
            #expect(busy.wire.isClosedByPeer())
            await ending.value
        }
    }

    @Test func whatDoesNotEndInTimeIsCutOff() async throws {
        let upstream = TestUpstream { upstream, wire, _ in
            upstream.note(Message())
            while try wire.receive() != nil {}
        }
        try await withGateway(before: upstream, { $0.gateway.timeouts.drain = .milliseconds(100) }) {
            gateway async throws in
            let busy = try gateway.connect()
            try busy.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.requests.count == 1 })
            await gateway.server.shutdown()
            #expect(busy.wire.isClosedByPeer())
        }
    }

    @Test func aPortInUseIsSaidSo() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let setup = Setup(upstream)
        do {
            try await withGateway(setup, port: upstream.port) { _ in }
            Issue.record("it starts")
        } catch {
            #expect("\(error)" == "port \(upstream.port) is in use; choose another with --gateway-port")
        }
    }
}
