/// Which server this one stands for.
package enum ServerVersion {
    /// The official release whose behaviour we have; clients switch features on by it.
    package static let compatible = "2.15.1"
    /// What the `go` key of INFO says.
    package static let go = "swift6.3"
    /// Our own release.
    package static let release = "0.1.0"
    /// JetStream API level of the official release; sent without JetStream too.
    static let apiLevel = 5
}
