/// Bounds on what one message may make the gateway hold.
package struct HeadLimits: Hashable, Sendable {
    /// A request line or status line and all fields, the empty line included.
    package var maxHeadBytes: Int
    package var maxFields: Int
    package var maxTargetBytes: Int

    package init(maxHeadBytes: Int = 32 * 1024, maxFields: Int = 100, maxTargetBytes: Int = 8 * 1024) {
        precondition(maxHeadBytes > 0 && maxHeadBytes < 1 << 30 && maxFields > 0 && maxTargetBytes > 0)
        self.maxHeadBytes = maxHeadBytes
        self.maxFields = maxFields
        self.maxTargetBytes = maxTargetBytes
    }
}
