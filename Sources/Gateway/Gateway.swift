import NIOSSL
import Crypto
import NIOPosix
