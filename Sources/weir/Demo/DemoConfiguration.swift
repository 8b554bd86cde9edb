import WeirConfiguration

/// What `weir demo` runs: weir.yaml's limits and identities, with upstreams of its own.
enum DemoConfiguration {
    static let keys = [(tenant: "acme", key: "demo-acme"), (tenant: "globex", key: "demo-globex")]

    /// The upstreams stand for stubs, whose ports are known only once they listen.
    static let yaml = """
        gateway:
          listen: 127.0.0.1:8080
        control:
          listen: 127.0.0.1:8081
        identity:
          api_keys:
            header: X-API-Key
            keys:
              - {tenant: acme, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"}    # demo-acme
              - {tenant: globex, sha256: "32ea828153d52fb0c4ab4e40da54f12be7ac880148da8ed08de2cb7d936c63a5"}  # demo-globex
        limits:
          - name: global
            per: tenant
            rate: 100/minute
        services:
          - name: product
            routes: [{path: /product}]
            upstreams: [http://127.0.0.1:1]
            limits:
              - {name: global, rate: 1000/minute}
          - name: payment
            routes: [{path: /payment}]
            upstreams: [http://127.0.0.1:1]
            limits:
              - {name: payment, per: tenant, rate: 10/minute, algorithm: token_bucket, burst: 10}
          - name: catalog
            routes: [{path: /catalog}]
            upstreams: [http://127.0.0.1:1]
        """

    static func load() throws(CommandError) -> Configuration {
        do {
            return try Configuration.parse(yaml, file: "demo")
        } catch {
            throw CommandError(.failed, "the demo's own configuration cannot be used:\n\(error)")
        }
    }
}
