import NIOCore

/// Messages as browsers and services send them.
enum SampleHeads {
    static let request = ByteBuffer(
        string: """
            GET /api/v1/orders/81734?expand=items,customer&page=2 HTTP/1.1\r
            Host: api.example.com\r
            Connection: keep-alive\r
            User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
            Accept: application/json\r
            Accept-Encoding: gzip, deflate, br, zstd\r
            Accept-Language: en-GB,en;q=0.7,de;q=0.3\r
            Cache-Control: no-cache\r
            Cookie: session=5f2c1b9e7d3a4c68b0e1f2a3d4c5b6a7; theme=dark\r
            X-API-Key: 7b1f0c9a2d4e4b6f8a3c5d7e9f1b2c3d\r
            traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r
            \r

            """)

    /// With its body of 100 bytes.
    static let response = ByteBuffer(
        string: """
            HTTP/1.1 200 OK\r
            Server: nginx/1.28.0\r
            Date: Thu, 01 Jan 2026 00:02:03 GMT\r
            Content-Type: application/json; charset=utf-8\r
            Content-Length: 100\r
            Connection: keep-alive\r
            Cache-Control: private, max-age=0\r
            ETag: W/"64-jH3rN8fPq0V5m2yZ"\r
            Vary: Accept-Encoding\r
            \r
            \(String(repeating: "x", count: 100))
            """)
}
