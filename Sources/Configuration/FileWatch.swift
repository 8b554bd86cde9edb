import Glibc

/// Notices that files have changed: by what the system says of them, not by what is in them.
package struct FileWatch: Sendable {
    /// What is different once a file was written, or another one took its place.
    package struct Stamp: Hashable, Sendable {
        private var device: UInt = 0
        private var inode: UInt = 0
        private var size = 0
        private var seconds = 0
        private var nanoseconds = 0

        /// Follows links. All zero: there is no such file.
        package init(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return }
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = status.st_size
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    /// As they were when they were read last.
    private var read: [Stamp]
    private var seen: [Stamp]

    /// They were read when they were so.
    package init(_ stamps: [Stamp]) {
        read = stamps
        seen = stamps
    }

    /// Whether they are to be read: they are not as they were, and have stayed as they are since the look before, so that nobody is
    /// within writing them.
    package mutating func look(_ stamps: [Stamp]) -> Bool {
        defer { seen = stamps }
        return stamps != read && stamps == seen
    }
}
