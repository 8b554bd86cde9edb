import Hummingbird
import NIOCore

/// What is known of a control request beside its head: who sent it.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer's address, without its port; nil: it has none.
    let client: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        client = source.channel.remoteAddress?.ipAddress
    }
}
