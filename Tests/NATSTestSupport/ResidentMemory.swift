import Foundation

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How much memory a process holds.
package enum ResidentMemory {
    /// False under a sanitizer, which holds memory back for its own purposes.
    package static let isMeaningful: Bool = {
        guard let program = dlopen(nil, RTLD_NOW) else {
            return true
        }
        defer { dlclose(program) }
        return dlsym(program, "__asan_init") == nil && dlsym(program, "__tsan_init") == nil
    }()

    /// Bytes of this process in memory now; 0 where that cannot be told.
    package static var ofThisProcess: Int {
        #if canImport(Darwin)
        var info = mach_task_basic_info()
        var count = mach_msg_type_number_t(MemoryLayout<mach_task_basic_info>.size / MemoryLayout<integer_t>.size)
        let result = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
            }
        }
        return result == KERN_SUCCESS ? Int(info.resident_size) : 0
        #else
        return Self.fromProc("self")
        #endif
    }

    /// Bytes of another process in memory now; 0 where that cannot be told.
    package static func of(processID: Int) -> Int {
        Self.fromProc("\(processID)")
    }

    private static func fromProc(_ process: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        else {
            return 0
        }
        return (Int(kilobytes) ?? 0) * 1024
    }
}
