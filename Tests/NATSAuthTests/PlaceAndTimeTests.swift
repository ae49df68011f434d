import Foundation
import NATSAuth
import NATSTestSupport
import Testing

@Suite("Limits of place and time")
struct PlaceAndTimeTests {
    @Test(
        "networks",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.9.9.9/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "1.2.3.4", true), ("1.2.3.4/32", "1.2.3.4", true), ("1.2.3.4/31", "1.2.3.5", true),
            ("1.2.3.4/31", "1.2.3.6", false), ("::/0", "1.2.3.4", false), ("0.0.0.0/0", "::1", false),
            ("::1/128", "::1", true), ("fe80::/10", "fe80::1:2", true), ("fe80::/10", "ff80::1", false),
            ("2001:db8::/33", "2001:db8:7fff::", true), ("2001:db8::/33", "2001:db8:8000::", false),
            ("1.2.3.0/24", "::ffff:1.2.3.9", true), ("::ffff:1.2.3.0/120", "1.2.3.9", true),
            ("::ffff:0:0/95", "1.2.3.9", false), ("1:2:3:4:5:6:7.8.9.1/128", "1:2:3:4:5:6:708:901", true),
        ]
    )
    func networks(network: String, host: String, contains: Bool) throws {
        let range = try #require(NetworkRange(network))
        let address = try #require(IPAddress(host))
        #expect(range.contains(address) == contains)
        var limits = UserLimits()
        limits.sources = ["127.0.0.1/32", network]
        #expect(limits.permits(host: host) == contains)
    }

    @Test(
        "what is no network",
        arguments: [
            "", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3/8", "1.2.3.04/8",
            "1.2.3.256/8", "1.2.3.4.5/8", "::/129", ":::/1", "1::2::3/1", "1:2:3:4:5:6:7/8", "1:2:3:4:5:6:7:8:9/8",
            "1:2:3:4:5:6:7:8::/8", "12345::/8", "g::/8", "fe80::1%eth0/64", "::1.2.3/8", "1.2.3.4::/8", "1/2/3",
            " 1.2.3.4/8",
            "1.2.3.4/8 ", "1.2.3.4/99999999999999999999", "::1:/8", ":1::/8",
        ]
    )
    func notNetworks(text: String) {
        #expect(NetworkRange(text) == nil)
        var limits = UserLimits()
        limits.sources = [text, "1.2.3.4/32"]
        #expect(!limits.permits(host: "1.2.3.4"))
    }

    @Test("without networks everything may come, with some only what is an address")
    func places() {
        var limits = UserLimits()
        #expect(limits.permits(host: "anything"))
        limits.sources = ["0.0.0.0/0"]
        #expect(!limits.permits(host: "") && !limits.permits(host: "localhost") && !limits.permits(host: "::1%lo"))
    }

    @Test("no text makes the readers of addresses fail otherwise than by nil")
    func hostileAddresses() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                generator.pick(":", "::", ".", "1", "255", "f", "/", "64", "%", "0")
            }
            .joined()
            _ = NetworkRange(text)
            _ = IPAddress(text)
        }
    }

    // MARK: Times

    /// 21 November 2026, 13:00 UTC, in nanoseconds.
    private static let noon: Int64 = 1_795_266_000_000_000_000

    private func permission(
        _ ranges: [(String, String)],
        at moment: Int64 = noon,
        locale: String = "UTC"
    )
        -> UserLimits.TimePermission
    {
        var limits = UserLimits()
        limits.times = ranges.map { TimeRange(start: $0.0, end: $0.1) }
        limits.locale = locale
        return limits.permission(at: moment)
    }

    @Test("times of day")
    func times() {
        let hour: Int64 = 3_600_000_000_000
        #expect(self.permission([]) == .always)
        #expect(self.permission([("11:00:00", "22:00:00")]) == .remaining(9 * hour))
        #expect(self.permission([("13:00:00", "22:00:00")]) == .never)
        #expect(self.permission([("13:00:00", "22:00:00")], at: Self.noon + 1) == .remaining(9 * hour - 1))
        #expect(self.permission([("11:00:00", "13:00:00")]) == .never)
        #expect(self.permission([("11:00:00", "13:00:00")], at: Self.noon - 1) == .remaining(1))
        // Over midnight, after it and before it.
        #expect(self.permission([("22:00:00", "14:00:00")]) == .remaining(hour))
        #expect(self.permission([("12:00:00", "06:00:00")]) == .remaining(17 * hour))
        #expect(self.permission([("22:00:00", "06:00:00")]) == .never)
        // The longest of several counts; a range that cannot be read forbids everything.
        #expect(self.permission([("9:00:00", "14:00:00"), ("12:00:00", "15:00:00.5")]) == .remaining(2 * hour))
        #expect(self.permission([("11:00:00", "22:00:00"), ("x", "y")]) == .never)
        #expect(self.permission([("11:00:00", "22:00:00")], locale: "No/Where") == .never)
        for text in [
            "", "1:2:3", "11:00", "11:00:00:00", "24:00:00", "11:60:00", "11:00:60", "011:00:00", "11:00:00.",
            "-1:00:00", "11:00:00 ",
        ] {
            #expect(self.permission([("00:00:00", text)]) == .never, "\(text)")
        }
    }

    @Test(
        "time zones show what Foundation shows",
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin")),
        arguments: [
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo",
            "Europe/Dublin", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns", "Etc/GMT+5",
        ]
    )
    func zones(name: String) throws {
        guard let reference = TimeZone(identifier: name) else { return }
        let rules = try TimeZoneDatabase.system.zone(name)
        var generator = SeededGenerator(seed: 21)
        // From 1971 to 2090; more changes than the files hold one by one.
        for _ in 0..<2000 {
            let moment = Int64.random(in: 31_536_000...3_786_912_000, using: &generator)
            let expected = reference.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment)))
            #expect(rules.offset(at: moment) == Int64(expected), "\(name) \(moment)")
        }
    }

    @Test("limits follow the clocks of their time zone through a change")
    func changes() throws {
        try #require(
            FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin")
                || !TestDependencies.isContinuousIntegration
        )
        guard FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin") else { return }
        // 25 October 2026, 00:30 UTC: 02:30 summer time, half an hour before clocks go back to 02:00.
        let moment: Int64 = 1_792_888_200_000_000_000
        #expect(
            self.permission([("01:00:00", "04:00:00")], at: moment, locale: "Europe/Berlin")
                == .remaining(9_000_000_000_000)
        )
        // Of the two moments at which clocks show 02:00 the later one counts, as in Go.
        #expect(self.permission([("02:00:00", "04:00:00")], at: moment, locale: "Europe/Berlin") == .never)
    }

    @Test("time zone files by hand, and no other bytes")
    func files() {
        #expect(TimeZoneRules([]) == nil)
        #expect(TimeZoneRules(Array("TZif".utf8)) == nil)
        var generator = SeededGenerator(seed: 8)
        for footer in [
            "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3", "AEST-10AEDT,M10.1.0,M4.1.0/3", "X", "", "A,B", "EST5EDT,J60,300",
        ] {
            let file = Self.file(footer: footer)
            let rules = TimeZoneRules(file)
            #expect(rules != nil)
            for _ in 0..<300 {
                var damaged = file
                damaged[Int.random(in: 0..<file.count, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
                let rules = TimeZoneRules(Array(damaged.prefix(Int.random(in: 0...file.count, using: &generator))))
                _ = rules?.offset(at: Int64.random(in: -10_000_000_000...10_000_000_000, using: &generator))
            }
        }
        let berlin = TimeZoneRules(Self.file(footer: "CET-1CEST,M3.5.0,M10.5.0/3"))
        #expect(berlin?.offset(at: 1_792_888_200) == 7200)
        #expect(berlin?.offset(at: 1_792_890_000) == 3600)
        #expect(TimeZoneRules(Self.file(footer: "<+03>-3"))?.offset(at: 5) == 10_800)
    }

    /// A file with one transition long ago and a footer.
    private static func file(footer: String) -> [UInt8] {
        func number(_ value: Int64, _ bytes: Int) -> [UInt8] {
            stride(from: (bytes - 1) * 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> Int64($0)) }
        }
        func part(_ bytes: Int) -> [UInt8] {
            var part = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
            for count in [0, 0, 0, 1, 1, 4] as [Int64] { part += number(count, 4) }
            return part + number(-1000, bytes) + [0] + number(3600, 4) + [0, 0] + Array("CET\0".utf8)
        }
        return part(4) + part(8) + [0x0a] + Array(footer.utf8) + [0x0a]
    }
}
