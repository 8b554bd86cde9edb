/// What is done with a request that takes a route, once its limits allow it.
package enum RouteAction: Hashable, Sendable {
    /// nil: with its path as it is.
    case forward(PathRewrite?)
    case redirect(Redirect)
    case respond(FixedResponse)
}

package struct PathRewrite: Hashable, Sendable {
    /// The forwarded path.
    package var path: Template
    /// Whether the route's prefix is missing in it, which upstreams are told.
    package var stripsPrefix: Bool

    package init(path: Template, stripsPrefix: Bool) {
        self.path = path
        self.stripsPrefix = stripsPrefix
    }
}

package struct Redirect: Hashable, Sendable {
    /// 301, 302, 303, 307 or 308.
    package var status: Int
    package var location: Template
    /// Whether the request's query follows.
    package var keepsQuery: Bool

    package init(status: Int, location: Template, keepsQuery: Bool) {
        self.status = status
        self.location = location
        self.keepsQuery = keepsQuery
    }
}

package struct FixedResponse: Hashable, Sendable {
    /// 200 to 599, but not 304.
    package var status: Int
    package var contentType: String?
    package var body: String
    package var headers: [NamedTemplate] = []

    package init(status: Int, contentType: String?, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    package static let maximumBodyBytes = 64 * 1024
}
