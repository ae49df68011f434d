/// Texts in which something particular is tried.
enum OddTexts {
    static let urls = [
        "http://h", "http://h:80/x", "h", "//h", "http://", "http:///x", "http://[::1]:80", "http://[::1",
        "http://h:1:2",
        "http://a b", "http://h/a b", "http://h/%zz", "http://h/%4", "http://h/%41", "http://%41/", "http://h%20x",
        "http://u@h", "http://u:p@h@i", "http://u%zz@h", "http://u[@h", "http://h?%zz", "http://h#%zz", "http://h#a#b",
        "1http://h", "ht+tp://h", "h.t-p1://h", ":x", "http://h:99999", "http://h:", "http://[::1]x", "http://h\u{1}",
        "http://h/\u{7f}", "http://\u{e9}", "mailto:x", "http:x", "/a:b", "a:b/c", "a/b:c", "http://<h>", "http://h|i",
        "http://[fe80::1%25en0]", "http://[fe80::1%en0]", "http://h^", "http://h\\", "http://h,i", "http://h\"", "*",
        " ",
        " http://h", "http://h ", "HTTP://H", "x://h", "http://?q", "http://#f", "http://@h", "http://:80", "http://[]",
        "é://h",
        "http://h/é", "http://h?a b", "http://h#a b", "http://[h]", "http://[1.2.3.4]:5", "http://[::1]:x", "a b://h",
        "http://h%", "http://h%4g", "http://[%zz]", "http://`", "http://{h}", "http://h%25", "http://u:%zz@h",
    ]

    static let subjects = [
        "a", "a.b", "a b", "a b c", " a", "a ", "  ", ".a", "a.", "a..b", ".", "..", "*", ">", "a.*", "a.>", "a.>.b",
        "*a",
        "a\tb", "a\u{0}b", "\u{e9}", "a q.r", "a .q", "a q.", "a *", "$SYS.>", "a\u{301}.b", "a.\u{301}b",
    ]

    static let networks = [
        "127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0", "127.0.0.1", "127.0.0.1/33", "127.0.0.1/", "127.0.0.1/-1",
        "127.0.0.1/08", "127.0.0.01/8", "127.0.0/8", "127.0.0.0.0/8", "::ffff:127.0.0.1/128", "::ffff:127.0.0.1/96",
        "::ffff:127.0.0.1/95", "::ffff:7f00:1/128", "::/0", "::1/128", "::127.0.0.1/128", "fe80::1%lo/64", "x", "",
        "/8",
        "127.0.0.1/8/8", " 127.0.0.1/8", "127.0.0.1/8 ", "127.0.0.1/+8", "127.0.0.1/0x8", "1::2::3/8", "::/129",
        "127.1/8",
        "127.0.0.1/16777216", "127.0.0.1/000000000000000000008", ":::/8", "1:2:3:4:5:6:7:8/1", "1:2:3:4:5:6:7::/1",
        "1:2:3:4:5:6:7:8::/1", "::1:2:3:4:5:6:7/1", "::1:2:3:4:5:6:7:8/1", "12345::/1", "1:2:3:4:5:6:1.2.3.4/1",
        "1:2:3:4:5:6:7:1.2.3.4/1", "::1.2.3/1", "1.2.3.4::/1", "::G/1", "127.0.0.1\n/8", "128.0.0.0/1", "126.0.0.0/7",
    ]

    static let times = [
        "00:00:00", "0:00:00", "12:00:00", "24:00:00", "23:60:00", "23:00:60", "1:2:3", "12:00", "12:00:00:00", "",
        "12:00:00.5", "12:00:00,5", "12:00:00.", "12:00:00.1234567890123", "12:00:00x", " 12:00:00", "012:00:00",
        "12:0:00", "-1:00:00", "12.00.00", "12:00:00.5x", "12:00:00Z", "1２:00:00",
    ]

    static let zones = [
        "UTC", "Local", "Europe/Berlin", "America/New_York", "europe/berlin", "No/Where", "../UTC", "/etc/localtime",
        "\\x", "Europe", "Europe/", "Europe//Berlin", "EST5EDT", "GMT+5", "Etc/GMT+5", "zone.tab", "tzdata.zi", "a..b",
        "./UTC", "Europe/Berlin\u{0}", " UTC", "CET-1CEST",
    ]

    static let templates: [[String]] = [
        ["a"], ["a.{{name()}}"], ["{{name()}}", "{{subject()}}"], ["{{account-name()}}.{{account-subject()}}"],
        ["{{ NAME( ) }}"], ["{{ NAME() }}"], ["{{tag(dept)}}"], ["{{tag(dept)}}.{{tag(dept)}}"], ["{{TAG(dept)}}"],
        ["{{tag(Dept)}}"], ["{{tag(big)}}"], ["{{tag(dots)}}.x"], ["{{tag(bad)}}", "b"], ["{{tag(empty)}}"],
        ["a.{{tag(none)}}"], ["a", "{{tag(none)}}"], ["{{account-tag(region)}}.{{tag(dept)}}"],
        ["{{account-tag(x)}}.y"],
        ["{{Account-Tag(region)}}"], ["{{other()}}"], ["{{}}"], ["{{name()"], ["{{{name()}}}"], ["{ {name()}}"],
        ["{{name()}}}"], ["a q", "{{name()}}"], ["a q"], ["{{name()}}.*", "{{name()}}.>"], ["{{name()}}.>.x"],
        ["{{tag()}}"], ["{{tag(dept)"], ["{{tag(dept))}}"], ["{{tag(de}pt)}}"], ["x{{name()}}y"],
        ["{{name()}}{{subject()}}"],
        ["a.{{name()}}", "a.{{name()}}"], ["{{\u{a0}name()\u{3000}}}"], ["{{name\u{301}()}}"], ["..", "{{name()}}"],
    ]
}
