#if canImport(Darwin)
package import Darwin
#elseif canImport(Glibc)
package import Glibc
#elseif canImport(Musl)
package import Musl
#endif

/// Small files without Foundation; every call may block for a moment.
package enum SmallFile {
    /// Why something could not be done, in Go's words: `open x: no such file or directory`.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
        /// Whether it is not there.
        package let isMissing: Bool

        init(_ description: String, isMissing: Bool = false) {
            self.description = description
            self.isMissing = isMissing
        }

        /// What `errno` says.
        init(_ operation: String, _ path: String) {
            let code = errno
            // Go writes the system's texts in lower case.
            var text = Array(String(cString: strerror(code)).utf8)
            if let first = text.first, (0x41...0x5a).contains(first) { text[0] = first | 0x20 }
            self.init("\(operation) \(path): \(String(decoding: text, as: UTF8.self))", isMissing: code == ENOENT)
        }
    }

    /// The whole file, if it is not larger than `maximum` bytes.
    package static func read(_ path: String, maximum: Int) throws(Failure) -> [UInt8] {
        // A pipe would otherwise wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure("open", path) }
        defer { closeDescriptor(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 8 << 10)
        while bytes.count <= maximum {
            let count = chunk.withUnsafeMutableBytes { readBytes(descriptor, $0) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure("read", path)
            }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        throw Failure("read \(path): file too large")
    }

    /// Replaces a file at one stroke, so that nobody ever reads a part of it.
    package static func write(_ bytes: [UInt8], to path: String, permissions: mode_t) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions)
        guard descriptor >= 0 else { throw Failure("open", path) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                writeBytes(descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]))
            }
            if count < 0 {
                if errno == EINTR { continue }
                let failure = Failure("write", path)
                closeDescriptor(descriptor)
                _ = unlink(temporary)
                throw failure
            }
            written += count
        }
        closeDescriptor(descriptor)
        guard renameFile(temporary, path) == 0 else {
            let failure = Failure("rename", path)
            _ = unlink(temporary)
            throw failure
        }
    }

    static func rename(_ path: String, to other: String) throws(Failure) {
        guard renameFile(path, other) == 0 else { throw Failure("rename", "\(path) \(other)") }
    }

    static func remove(_ path: String) throws(Failure) {
        guard unlink(path) == 0 else { throw Failure("remove", path) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes a directory with all that are missing above it.
    static func makeDirectories(_ path: String, permissions: mode_t) throws(Failure) {
        if path.isEmpty { throw Failure("path is not specified") }
        var made = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? String(component) : "/\(component)"
            if mkdir(made, permissions) != 0, errno != EEXIST { throw Failure("mkdir", made) }
        }
        guard let directory = opendir(path) else { throw Failure("open", path) }
        closedir(directory)
    }

    /// The names in a directory, in the order of their bytes.
    package static func names(in path: String) throws(Failure) -> [String] {
        guard let directory = opendir(path) else { throw Failure("open", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
            )
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

// Inside the type the functions of the same names are hidden.
private func readBytes(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}

private func writeBytes(_ descriptor: CInt, _ buffer: UnsafeRawBufferPointer) -> Int {
    write(descriptor, buffer.baseAddress, buffer.count)
}

private func renameFile(_ path: String, _ other: String) -> CInt { rename(path, other) }

private func closeDescriptor(_ descriptor: CInt) { _ = close(descriptor) }
