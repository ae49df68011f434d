import NATSText

/// `compression`: a mode, a switch, or a map.
extension OptionReader {
    /// A compression key, with the mode that "on" means and the one when the block names none.
    func compression(_ entry: Entry, onMode: String, unset: String) -> CompressionConfiguration? {
        let node = entry.node
        var block = CompressionConfiguration(mode: unset)
        switch node.value {
        case .string(let mode):
            if !mode.isEmpty { block.mode = ConfigurationNode.text(mode) }
        case .bool(let flag):
            block.mode = flag ? onMode : "off"
        case .map(let map):
            for inner in map.entries.map(Entry.init) { self.readCompression(inner, into: &block) }
        default:
            self.error(
                "field \(entry.quotedKey) should be a boolean or a structure, got "
                    + GoFormat.typeName(node),
                at: node
            )
            return nil
        }
        return block
    }

    private func readCompression(_ entry: Entry, into block: inout CompressionConfiguration) {
        switch entry.name {
        case "mode":
            if let mode = self.string(entry.node), !mode.isEmpty { block.mode = mode }
        case "rtt_thresholds", "thresholds", "rtts", "rtt":
            for element in self.array(entry.node) ?? [] {
                guard let text = self.string(element) else { continue }
                do {
                    block.rttThresholds.append(try GoDuration.parse(text))
                } catch {
                    self.error(error.words, at: entry.node)
                }
            }
        default:
            self.unknown(entry)
        }
    }
}
