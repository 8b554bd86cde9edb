import Foundation
import TestSupport

/// Another proxy before a recording upstream of its own, which says where each request came from and what path it understood.
final class ReferenceProxy: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case nginx, haproxy

        /// nil: it is not installed.
        var program: String? {
            let path = TestEnvironment["PATH"] ?? ""
            return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"])
                .map { "\($0)/\(rawValue)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        }
    }

    /// The field in which nginx says what it takes for the path, decoded.
    static let pathField = "X-Understood-Path"

    let kind: Kind
    let port: Int
    let upstream = RecordingUpstream()
    private let process = ServerProcess()
    private let directory: URL

    /// Both, as far as they are installed; what is missing is said.
    static func startAll() async throws -> [ReferenceProxy] {
        var proxies: [ReferenceProxy] = []
        for kind in Kind.allCases {
            guard let program = kind.program else {
                print("\(kind.rawValue) is not installed, so its opinion is not asked; scripts/test installs it")
                continue
            }
            proxies.append(try await start(kind, program))
        }
        return proxies
    }

    private static func start(_ kind: Kind, _ program: String) async throws -> ReferenceProxy {
        let proxy = try ReferenceProxy(kind)
        let file = proxy.directory.appending(path: "configuration").path
        let text = kind == .nginx ? proxy.nginx : proxy.haproxy
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        switch kind {
        case .nginx: try proxy.process.start([program, "-c", file, "-p", proxy.directory.path, "-e", "errors"])
        case .haproxy: try proxy.process.start([program, "-db", "-q", "-f", file])
        }
        try await TestSupport.eventually("\(kind.rawValue) listens") {
            guard proxy.process.isRunning else {
                throw ServerProcess.Failure(description: "\(kind.rawValue) ended: \(proxy.complaint(program, file))")
            }
            return (try? Wire.connect(port: proxy.port)) != nil
        }
        return proxy
    }

    private init(_ kind: Kind) throws {
        self.kind = kind
        port = try ServerProcess.freePort()
        directory = FileManager.default.temporaryDirectory.appending(path: "weir-\(kind.rawValue)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    func stop() {
        process.kill()
        upstream.stop()
        try? FileManager.default.removeItem(at: directory)
    }

    private func complaint(_ program: String, _ file: String) -> String {
        let check = kind == .nginx ? [program, "-t", "-c", file, "-p", directory.path] : [program, "-c", "-f", file]
        return (try? ServerProcess.output(check)) ?? ""
    }

    /// As it comes, but for short patience and a body that is forwarded once it is there.
    private var nginx: String {
        """
        daemon off;
        master_process off;
        pid \(directory.path)/pid;
        error_log /dev/null;
        events { worker_connections 4096; }
        http {
          access_log off;
          client_body_temp_path bodies;
          proxy_temp_path answers;
          fastcgi_temp_path unused1;
          uwsgi_temp_path unused2;
          scgi_temp_path unused3;
          client_header_timeout 1s;
          client_body_timeout 1s;
          keepalive_timeout 1s;
          lingering_close off;
          upstream recording { server 127.0.0.1:\(upstream.port); keepalive 64; }
          server {
            listen 127.0.0.1:\(port) backlog=1024;
            location / {
              proxy_pass http://recording;
              proxy_http_version 1.1;
              proxy_next_upstream off;
              proxy_set_header Connection "";
              proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $remote_addr;
              proxy_set_header \(Self.pathField) $uri;
            }
          }
        }

        """
    }

    /// As it comes, but for short patience and every normalisation of paths that it knows.
    private var haproxy: String {
        """
        global
          expose-experimental-directives
          maxconn 4096
        defaults
          mode http
          retries 0
          timeout connect 5s
          timeout server 10s
          timeout client 1s
          timeout http-request 1s
          timeout http-keep-alive 1s
        frontend clients
          bind 127.0.0.1:\(port)
          http-request normalize-uri percent-decode-unreserved
          http-request normalize-uri percent-to-uppercase
          http-request normalize-uri path-merge-slashes
          http-request normalize-uri path-strip-dot
          http-request normalize-uri path-strip-dotdot full
          http-request set-header X-Forwarded-For %[src]
          default_backend recording
        backend recording
          server upstream 127.0.0.1:\(upstream.port)

        """
    }
}
