import CNCurses
import NATSTop

/// Makes keys of what ncurses reads: bytes, and codes of its own for keys that it knows.
struct KeyDecoder {
    enum Input: Equatable {
        case key(Key)
        /// Ctrl-L: draw everything anew.
        case redraw
    }

    /// What has begun.
    private enum State: Equatable {
        case none
        /// Bytes of a character of UTF-8, and how many it has.
        case character([UInt8], length: Int)
        /// An escape key, or the beginning of a sequence that ncurses does not know.
        case escape
        /// Within such a sequence: its letters are no keys.
        case sequence
    }

    private var state = State.none

    /// Takes a byte or a code.
    mutating func take(_ code: Int32) -> Input? {
        // Not from the keyboard.
        if code == KEY_RESIZE { return nil }
        switch self.state {
        case .none, .character:
            break
        case .escape:
            // A letter behind an escape is that letter with Alt, which is no key here.
            self.state = code == 0x5B || code == 0x4F ? .sequence : .none
            return code == 27 ? self.takeFirst(code) : nil
        case .sequence:
            if !(0x20...0x3F).contains(code) { self.state = .none }
            return nil
        }
        return self.takeFirst(code)
    }

    /// Nothing more waits: an escape was the key, and a sequence without end is one with Alt.
    mutating func end() -> Input? {
        switch self.state {
        case .none, .character:
            return nil
        case .escape:
            self.state = .none
            return .key(.escape)
        case .sequence:
            self.state = .none
            return nil
        }
    }

    private mutating func takeFirst(_ code: Int32) -> Input? {
        guard let byte = UInt8(exactly: code) else {
            self.state = .none
            return Self.named(code).map { .key($0) }
        }
        if byte >= 0x80 { return self.takeByte(byte) }
        self.state = .none
        switch byte {
        case 27:
            self.state = .escape
            return nil
        case 12: return .redraw
        case 3: return .key(.interrupt)
        case 8, 127: return .key(.backspace)
        case 9: return .key(.tab)
        case 10, 13: return .key(.enter)
        case 21: return .key(.deleteLine)
        case 0x20..<0x7F: return .key(.character(Character(Unicode.Scalar(byte))))
        default: return nil
        }
    }

    private mutating func takeByte(_ byte: UInt8) -> Input? {
        if byte >= 0xC0 {
            self.state = .character([byte], length: byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2)
            return nil
        }
        guard case .character(var bytes, let length) = self.state else { return nil }
        bytes.append(byte)
        guard bytes.count == length else {
            self.state = .character(bytes, length: length)
            return nil
        }
        self.state = .none
        guard let text = String(validating: bytes, as: UTF8.self), let character = text.first else { return nil }
        return .key(.character(character))
    }

    private static func named(_ code: Int32) -> Key? {
        switch code {
        case KEY_UP: .up
        case KEY_DOWN: .down
        case KEY_LEFT: .left
        case KEY_RIGHT: .right
        case KEY_PPAGE: .pageUp
        case KEY_NPAGE: .pageDown
        case KEY_HOME: .home
        case KEY_END: .end
        case KEY_BTAB: .backTab
        case KEY_ENTER: .enter
        case KEY_BACKSPACE: .backspace
        default: nil
        }
    }
}
