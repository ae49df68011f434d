public import NATSClient

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Data: NATSPayload {
    /// The bytes of the data.
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.withUnsafeBytes(body)
    }
}
