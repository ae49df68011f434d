import NATSText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A log file that is renamed and begun anew when it gets too large.
///
/// nats-server logger/log.go fileLogger: the names of what is kept, the two lines about it, their CR LF and their local time
/// are the official ones.
final class RotatingFile: LogTransport, @unchecked Sendable {
    private let path: String
    private let limit: Int
    private let maximumFiles: Int
    private let makeLine: (LogLineFormatter.Label, String) -> [UInt8]
    private var descriptor: CInt
    private var size: Int
    /// Grows when a rotation fails, so that not every line tries again.
    private var currentLimit: Int

    /// Opens a file for appending, to be rotated after so many bytes.
    ///
    /// So many files are kept, the current one included; 0 means all. `makeLine` formats the lines that rotation writes.
    init(
        path: String,
        limit: Int,
        maximumFiles: Int,
        makeLine: @escaping (LogLineFormatter.Label, String) -> [UInt8]
    ) throws(SystemCallError) {
        self.path = path
        self.limit = limit
        self.currentLimit = limit
        self.maximumFiles = maximumFiles
        self.makeLine = makeLine
        self.descriptor = try SystemCalls.openForAppending(path)
        self.size = SystemCalls.fileSize(self.descriptor)
    }

    /// What the file holds already is more than it may.
    var isTooLarge: Bool { self.size > self.limit }

    func writeAtOnce(_ line: ArraySlice<UInt8>) -> Int {
        guard SystemCalls.writeAll(line, to: self.descriptor) else { return line.count }
        self.size += line.count
        if self.size > self.currentLimit {
            self.rotate()
        }
        return line.count
    }

    func writeWaiting(_ line: ArraySlice<UInt8>) {
        _ = self.writeAtOnce(line)
    }

    func close() {
        SystemCalls.close(self.descriptor)
    }

    /// Opens the file again if it was renamed since it was opened.
    func followName() {
        guard !SystemCalls.isFile(self.descriptor, at: self.path),
            let fresh = try? SystemCalls.openForAppending(self.path)
        else { return }
        SystemCalls.close(self.descriptor)
        self.descriptor = fresh
        self.size = SystemCalls.fileSize(fresh)
    }

    private func rotate() {
        let backup = "\(self.path).\(Self.stamp(SystemCalls.wallClock()))"
        _ = rename(self.path, backup)
        let fresh: CInt
        do {
            fresh = try SystemCalls.openForAppending(self.path)
        } catch {
            // The official server panics here. The renamed file is still open: go on with it.
            self.currentLimit *= 2
            self.append(.error, "Unable to re-open the logfile \(GoString.quoted(self.path)) after rotation: \(error)")
            return
        }
        SystemCalls.close(self.descriptor)
        self.descriptor = fresh
        self.size = 0
        self.currentLimit = self.limit
        self.append(.info, "Rotated log, backup saved as \(GoString.quoted(backup))")
        if self.maximumFiles > 0 {
            self.purge()
        }
    }

    /// Removes the oldest of the files that rotation has left.
    private func purge() {
        let directory = Self.directory(of: self.path)
        let prefix = String(self.path.utf8.split(separator: UInt8(ascii: "/")).last.map { Substring($0) } ?? "") + "."
        guard let names = SystemCalls.fileNames(in: directory) else {
            let reason = SystemCallError(call: "open", path: directory, number: errno)
            let text = "Unable to read directory \(GoString.quoted(directory)) for log purge (\(reason)), "
            self.append(.error, text + "will attempt next rotation")
            return
        }
        // The stamps sort as the times do.
        let backups =
            names
            .filter { $0.hasPrefix(prefix) && Self.isStamp($0.dropFirst(prefix.count)) }
            .filter { !SystemCalls.isDirectory(Self.path(of: $0, in: directory)) }
            .sorted()
        for name in backups.dropLast(self.maximumFiles - 1) {
            do {
                try SystemCalls.removeFile(Self.path(of: name, in: directory))
            } catch {
                let text = "Unable to remove backup log file \(GoString.quoted(name)) (\(error)), "
                self.append(.error, text + "will attempt next rotation")
                return
            }
            self.append(.info, "Purged log file \(GoString.quoted(name))")
        }
    }

    private func append(_ label: LogLineFormatter.Label, _ text: String) {
        let line = self.makeLine(label, text)
        if SystemCalls.writeAll(line[...], to: self.descriptor) {
            self.size += line.count
        }
    }

    private static func path(of name: String, in directory: String) -> String {
        switch directory {
        case ".": name
        case "/": "/\(name)"
        default: "\(directory)/\(name)"
        }
    }

    private static func directory(of path: String) -> String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
    }

    /// `YYYY.MM.DD.HH.MM.SS.nnnnnnnnn`.
    static func stamp(_ now: SystemCalls.WallClock) -> String {
        let time = SystemCalls.localTime(now.second)
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let parts = [time.month, time.day, time.hour, time.minute, time.second].map { padded($0, 2) }
        return ([padded(time.year, 4)] + parts + [padded(now.nanosecond, 9)]).joined(separator: ".")
    }

    static func isStamp(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 7 else { return false }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return zip(parts, [4, 2, 2, 2, 2, 2, 9]).allSatisfy { part, count in
            part.count == count && part.allSatisfy { digits.contains($0) }
        }
    }
}
