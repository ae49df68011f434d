import NATSTop
import Testing

@Suite("Layout")
struct LayoutTests {
    static let models = [
        Fixture.model(), Scenario.many(), Scenario.lost(), Scenario.hostile(), Scenario.closed(), Scenario.routes(),
        Scenario.accounts(), Scenario.subscriptions(), Scenario.jetStream(), Scenario.graphs(), Scenario.pressed("6"),
        Scenario.pressed("?"), Scenario.pressed("o日本"), Scenario.pressed("s b"), Model(),
    ]

    @Test("each screen has the lines of its terminal, and none is wider", arguments: models.indices)
    func bounds(index: Int) {
        let model = Self.models[index]
        for columns in [1, 2, 3, 7, 12, 20, 39, 40, 41, 59, 60, 66, 79, 80, 81, 104, 132, 161, 200, 300] {
            for rows in [1, 2, 3, 4, 7, 8, 9, 10, 15, 16, 17, 24, 50] {
                for glyphs in [Glyphs.unicode, .ascii] {
                    let size = Size(columns: columns, rows: rows)
                    let screen = Layout(glyphs: glyphs).screen(of: model, size: size)
                    #expect(screen.lines.count == rows)
                    for line in screen.lines {
                        #expect(DisplayWidth.of(line.map(\.text).joined()) <= columns)
                        if glyphs == .ascii {
                            #expect(line.allSatisfy { $0.text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
                        }
                    }
                    if let cursor = screen.cursor { #expect(cursor.row < rows && cursor.column < columns) }
                }
            }
        }
    }

    @Test("sizes out of any terminal are drawn too")
    func oddSizes() {
        let screen = Layout().screen(of: Fixture.model(), size: Size(columns: -5, rows: 0))
        #expect(screen.text == ["N"])
    }

    @Test("a terminal may say that it is as large as it likes")
    func hugeSize() {
        let size = Size(columns: 65_535, rows: 65_535)
        #expect(size == Size(columns: 1024, rows: 512))
        #expect(Layout().screen(of: Fixture.model(), size: size).lines.count == 512)
    }

    @Test("the selection, the sorted column, slow clients and a lost server look different")
    func roles() throws {
        let screen = Layout().screen(of: Fixture.model(), size: Size(columns: 80, rows: 24))
        #expect(screen.lines[8].contains { $0.role == .sortedTitle && $0.text == "CID" })
        #expect(screen.lines[9].map(\.role) == [.selected])
        #expect(DisplayWidth.of(screen.lines[9].map(\.text).joined()) == 80)
        #expect(screen.lines[10].map(\.role) == [.slow])
        #expect(screen.lines[11].map(\.role) == [.idle])
        #expect(screen.lines[12].map(\.role) == [.plain])
        let lost = Layout().screen(of: Scenario.lost(), size: Size(columns: 80, rows: 24))
        #expect(lost.lines[0].last?.role == .problem)
        #expect(lost.lines[12].map(\.role) == [.stale])
    }

    @Test("without colours what matters is told by other means")
    func monochrome() {
        for role in Role.allCases { #expect(role.attributes(hasColors: false).color == nil) }
        let plain = Role.plain.attributes(hasColors: false)
        for role in [Role.selected, .slow, .problem, .sortedTitle, .columnTitle, .stale, .currentView] {
            #expect(role.attributes(hasColors: false) != plain)
        }
    }

    @Test("a prompt shows the end of what is typed, and where")
    func prompt() {
        var model = Fixture.model(columns: 20, rows: 10)
        Scenario.press(&model, "/" + String(repeating: "a", count: 30) + "日本")
        let screen = Layout().screen(of: model, size: model.size)
        #expect(screen.text[4] == "filter: aaaaaaa日本")
        #expect(screen.cursor?.row == 4)
        #expect(screen.cursor?.column == 19)
    }

    @Test("a resize keeps the selection in sight")
    func resize() {
        var model = Scenario.many()
        for _ in 0..<100 { _ = model.handle(.down) }
        for rows in [50, 9, 24, 3, 16] {
            model.resize(Size(columns: 80, rows: rows))
            let screen = Layout().screen(of: model, size: model.size)
            #expect(screen.lines.contains { $0.contains { $0.role == .selected && $0.text.contains("client-") } })
        }
    }
}
