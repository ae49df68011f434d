package import ArgumentParser

/// `--retry[=D]` of nats-pub and nats-req.
package enum RetryInterval {
    /// What stands for no duration.
    package static let text = "1s"

    package static let help = ArgumentHelp(
        """
        Go on trying to connect, and connect again, with a wait of 1s or of so long (--retry=5s) between attempts; what \
        may have been lost with a connection is sent again, and so may arrive twice.
        """,
        valueName: "duration"
    )

    /// - Throws: `ValidationError` for a wait of no time.
    static func check(_ interval: DurationArgument?) throws {
        if let interval, interval.duration <= .zero { throw ValidationError("--retry must be greater than zero") }
    }
}
