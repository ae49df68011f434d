import NATSWire

/// `/raftz`: the Raft groups.
enum RaftzDocument {
    /// The text of a server that is in no cluster with JetStream; its status is 404.
    static let none = "No Raft nodes registered"
}

/// `/ipqueuesz`: the queues between the parts of the server; ours has none of those that the official server names.
enum IPQueueszDocument {
    static func json() -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: 3)
        writer.object { _ in }
        return writer.bytes
    }
}

/// `/stacksz`: what the threads do; text, although the official server calls it JSON.
enum StackszDocument {
    struct Loop: Sendable {
        var index: Int
        var connections: Int
        var stagedOutlets: Int
        var blockedConnections: Int
    }

    static func text(_ loops: [Loop]) -> [UInt8] {
        var text = "monitor [running]\n"
        for loop in loops {
            text += """

                event loop \(loop.index)
                \tconnections: \(loop.connections)
                \tconnections with staged output: \(loop.stagedOutlets)
                \tconnections with a blocked socket: \(loop.blockedConnections)

                """
        }
        return Array(text.utf8)
    }
}

/// `/debug/vars`: the command line and the memory, as Go's expvar shows them.
enum DebugVarsDocument {
    static func json(commandLine: [String], usage: ProcessUsage) -> [UInt8] {
        Array("{\n\"cmdline\": ".utf8) + self.list(commandLine) + Array(",\n\"memstats\": ".utf8) + self.memory(usage)
            + Array("\n}\n".utf8)
    }

    /// The same as the system account is told it.
    static func answer(commandLine: [String], usage: ProcessUsage) -> [UInt8] {
        Array("{\"memstats\":".utf8) + self.memory(usage) + Array(",\"cmdline\":".utf8) + self.list(commandLine)
            + Array("}".utf8)
    }

    private static func list(_ arguments: [String]) -> [UInt8] {
        var bytes = Array("[".utf8)
        for (index, argument) in arguments.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(argument, to: &bytes)
        }
        return bytes + Array("]".utf8)
    }

    private static func memory(_ usage: ProcessUsage) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("Alloc", usage.residentMemory)
            writer.write("Sys", usage.virtualMemory)
            writer.write("HeapAlloc", usage.residentMemory)
            writer.write("HeapSys", usage.virtualMemory)
            writer.write("NumGC", 0)
        }
        return writer.bytes
    }
}

/// `/`: links to the others, for people.
enum IndexPage {
    private static let links = [
        ("General", "/varz"), ("JetStream", "/jsz"), ("Connections", "/connz"), ("Accounts", "/accountz"),
        ("Account Stats", "/accstatz"), ("Subscriptions", "/subsz"), ("Routes", "/routez"), ("LeafNodes", "/leafz"),
        ("Gateways", "/gatewayz"), ("Raft Groups", "/raftz"), ("Health Probe", "/healthz"), ("Expvar", "/debug/vars"),
    ]

    /// - Parameters:
    ///   - basePath: The path of this page, `/` or `/mon`.
    ///   - name: The server's name.
    /// - Returns: the page.
    static func html(basePath: String, name: String) -> [UInt8] {
        let prefix = basePath == "/" ? "" : basePath
        var rows = ""
        for (label, path) in self.links {
            rows += "<li><a href=\".\(HTMLText.escaped(prefix + path))\">\(label)</a> <code>\(path)</code></li>\n"
        }
        let page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(HTMLText.escaped(name)) - NATS monitoring</title>
            <style>
            body { font-family: system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
            ul { list-style: none; padding: 0 }
            li { padding: .25rem 0 }
            a { color: #0b57a4 }
            code { color: #666; padding-left: .5rem }
            @media (prefers-color-scheme: dark) {
            body { color: #ddd; background: #111 } a { color: #7ab8ff } code { color: #999 }
            }
            </style>
            </head>
            <body>
            <h1>\(HTMLText.escaped(name))</h1>
            <p>Compatible with nats-server v\(ServerVersion.compatible), swift-nats \(ServerVersion.release)</p>
            <ul>
            \(rows)</ul>
            <p><a href="https://docs.nats.io/running-a-nats-service/nats_admin/monitoring">Help</a></p>
            </body>
            </html>

            """
        return Array(page.utf8)
    }
}
