extension Model {
    /// Takes a key.
    package mutating func handle(_ key: Key) -> Effect {
        if key == .interrupt { return .quit }
        let before = self.requests
        let effect = self.act(on: key)
        self.settle()
        return effect == .none && self.requests != before ? .poll : effect
    }

    private mutating func act(on key: Key) -> Effect {
        if self.prompt != nil {
            self.type(key)
            return .none
        }
        if self.showsHelp {
            switch key {
            case .up: self.helpOffset -= 1
            case .down: self.helpOffset += 1
            case .pageUp: self.helpOffset -= self.size.rows
            case .pageDown: self.helpOffset += self.size.rows
            default: self.showsHelp = false
            }
            return .none
        }
        switch key {
        case .character(let character): return self.press(character)
        case .tab: self.turn(by: 1)
        case .backTab: self.turn(by: -1)
        case .up: self.move(by: -1)
        case .down: self.move(by: 1)
        case .pageUp: self.move(by: -max(1, self.pageHeight))
        case .pageDown: self.move(by: max(1, self.pageHeight))
        case .home: self.move(by: -Sample.maximumSubscriptions)
        case .end: self.move(by: Sample.maximumSubscriptions)
        case .left: self.updateState { $0.columnOffset -= 1 }
        case .right: self.updateState { $0.columnOffset += 1 }
        case .enter:
            if self.view == .cluster { return self.watchSelected() }
            self.openSelected()
        case .escape: self.leave()
        case .backspace, .deleteLine, .interrupt: break
        }
        return .none
    }

    private mutating func press(_ character: Character) -> Effect {
        switch character {
        case "q": return .quit
        case "?", "h": (self.showsHelp, self.helpOffset) = (true, 0)
        case "o": self.ask(.sort)
        case "n": self.ask(.limit)
        case "f", "/": self.ask(.filter)
        case "c": self.ask(.columns)
        case "s": self.updateSettings { $0.showsSubscriptions.toggle() }
        case "d": self.updateSettings { $0.looksUpNames.toggle() }
        case "b": self.updateSettings { $0.isRaw.toggle() }
        case " ": self.updateSettings { $0.showsRates.toggle() }
        case "p": self.togglePause()
        case "r": self.sort(by: self.state.sort)
        case "<": self.moveSort(by: -1)
        case ">": self.moveSort(by: 1)
        case "j": self.move(by: 1)
        case "k": self.move(by: -1)
        case "g": self.open(.graphs)
        case "1"..."9":
            if let view = character.wholeNumberValue.flatMap(View.init(rawValue:)) { self.turn(to: view) }
        default:
            if let column = self.view.columns.first(where: { $0.key == character }) { self.sort(by: column) }
        }
        return .none
    }

    // MARK: Moving

    private var pageHeight: Int {
        Geometry(size: self.size, isTable: self.view.isTable).bodyHeight
    }

    private mutating func move(by lines: Int) {
        let isTable = self.view.isTable
        self.updateState { state in
            if isTable { state.index += lines } else { state.offset += lines }
            state.followsRow = state.index > 0
        }
    }

    private mutating func moveSort(by step: Int) {
        let columns = self.columns
        guard !columns.isEmpty else { return }
        let index = columns.firstIndex(of: self.state.sort).map { $0 + step } ?? 0
        let column = columns[(index + columns.count) % columns.count]
        self.sort(by: column, isDescending: column.isDescending)
    }

    private mutating func turn(by step: Int) {
        let count = View.allCases.count
        guard let view = View(rawValue: (self.view.rawValue - 1 + step + count) % count + 1) else { return }
        self.turn(to: view)
    }

    private mutating func turn(to view: View) {
        if view == .subscriptions, self.view == .connections || self.view == .closed {
            return self.openSelected(orNothing: true)
        }
        self.open(view)
    }

    /// Shows the subscriptions of the selected connection.
    private mutating func openSelected(orNothing: Bool = false) {
        if self.view == .connections, case .connection(let connection)? = self.selectedRow?.content {
            self.subscriber = connection.id
            self.open(.subscriptions)
            self.updateState { ($0.index, $0.offset, $0.followsRow) = (0, 0, false) }
        } else if self.view == .accounts, case .account(let account)? = self.selectedRow?.content {
            self.updateSettings { $0.filter = .exactly(account: account.name) }
            self.open(.connections)
        } else if orNothing {
            self.open(.subscriptions)
        }
    }

    /// Shows the server of the selected row in the place of the one before.
    private mutating func watchSelected() -> Effect {
        guard case .server(let server)? = self.selectedRow?.content else { return .none }
        guard server.isUp else {
            self.show("\(server.name): \(server.problem)", seconds: 3)
            return .none
        }
        guard server.status.id != self.snapshot.server.id else {
            self.open(.connections)
            return .none
        }
        guard !self.settings.isRecording else {
            self.show("\(server.name): a recording shows what was watched", seconds: 3)
            return .none
        }
        self.watch(server.address.isEmpty ? server.name : server.address)
        return .watch(server.key)
    }

    private mutating func leave() {
        if self.view == .subscriptions {
            self.open(.connections)
        } else if !self.settings.filter.isEmpty {
            self.updateSettings { $0.filter = Filter("") }
        }
    }

    // MARK: Prompts

    private mutating func ask(_ purpose: Prompt.Purpose) {
        switch purpose {
        case .sort:
            guard self.view.isTable else { return }
            self.prompt = Prompt(purpose: purpose, label: "sort by [\(self.state.sort.rawValue)]: ")
        case .limit:
            self.prompt = Prompt(purpose: purpose, label: "limit   [\(self.settings.limit)]: ")
        case .filter:
            self.prompt = Prompt(purpose: purpose, label: "filter: ", text: self.settings.filter.text)
        case .columns:
            guard self.view.isTable else { return }
            self.prompt = Prompt(purpose: purpose, label: "columns (a,b or +a,-b): ")
        }
    }

    private mutating func type(_ key: Key) {
        guard var prompt = self.prompt else { return }
        switch key {
        case .character(let character):
            let text = HarmlessText.make(String(character))
            if prompt.text.unicodeScalars.count < 200 { prompt.text += text }
        case .backspace:
            _ = prompt.text.popLast()
        case .deleteLine:
            prompt.text = ""
        case .escape:
            self.prompt = nil
            return
        case .enter:
            self.prompt = nil
            return self.accept(prompt)
        default:
            break
        }
        self.prompt = prompt
    }

    private mutating func accept(_ prompt: Prompt) {
        let text = prompt.text.split(separator: " ").joined(separator: " ")
        switch prompt.purpose {
        case .sort:
            guard !text.isEmpty else { return }
            guard let (column, isDescending) = Settings.order(text, in: self.view) else {
                return self.show("invalid order: \(text)", seconds: 1)
            }
            self.sort(by: column, isDescending: isDescending ?? column.isDescending)
        case .limit:
            guard !text.isEmpty else { return }
            guard let limit = Int(text), limit > 0 else { return self.show("invalid limit: \(text)", seconds: 1) }
            self.updateSettings { $0.limit = min(limit, Settings.maximumLimit) }
        case .filter:
            self.updateSettings { $0.filter = Filter(prompt.text) }
        case .columns:
            let (columns, unknown) = Settings.columns(text, from: self.columns, in: self.view)
            guard let columns else { return self.show("invalid column: \(unknown)", seconds: 1) }
            let isUsual = columns == self.view.defaultColumns
            if self.view == .connections, !columns.contains(.subscriptions) {
                self.updateSettings { $0.showsSubscriptions = false }
            }
            self.updateState { $0.columns = isUsual ? nil : columns }
            self.arrange()
        }
    }
}
