// The system's ncurses, built for wide characters. Texts go in as bytes of the locale, UTF-8 that is; what is a macro, a
// global variable or has a variable number of arguments is a function here.
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/// Whether the environment's locale is one of UTF-8; ncurses then takes it too.
static inline bool nats_top_adopts_utf8_locale(void) {
    if (setlocale(LC_ALL, "") == NULL) return false;
    const char *codeset = nl_langinfo(CODESET);
    return codeset != NULL && (strcmp(codeset, "UTF-8") == 0 || strcmp(codeset, "utf8") == 0);
}

/// The size of the terminal; false if it tells none.
static inline bool nats_top_asks_size(int *rows, int *columns) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return false;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}

/// Keeps ncurses from making a screen of any size that a terminal tells: each cell takes memory several times.
static inline void nats_top_bounds_size(int rows, int columns) {
    int has_rows = 0, has_columns = 0;
    if (!nats_top_asks_size(&has_rows, &has_columns)) return;
    if (has_rows <= rows && has_columns <= columns) return;
    char text[16];
    snprintf(text, sizeof text, "%d", has_rows < rows ? has_rows : rows);
    setenv("LINES", text, 1);
    snprintf(text, sizeof text, "%d", has_columns < columns ? has_columns : columns);
    setenv("COLUMNS", text, 1);
}

/// Takes the terminal; false if its type is unknown (`initscr` would end the process).
static inline bool nats_top_starts_screen(void) {
    if (newterm(NULL, stdout, stdin) == NULL) return false;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    intrflush(stdscr, FALSE);
    curs_set(0);
    set_escdelay(25);
    return true;
}

/// The terminal's name for a sequence, such as `rmcup`; nil if it has none.
static inline const char *nats_top_sequence(const char *name) {
    const char *text = tigetstr((char *)name);
    return text == (const char *)-1 ? NULL : text;
}

/// Makes colour pairs 1 to 5 on the terminal's own background; false if it has none.
static inline bool nats_top_starts_colors(const short *colors, short count) {
    if (!has_colors() || start_color() == ERR) return false;
    short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
    for (short pair = 0; pair < count; pair++) init_pair(pair + 1, colors[pair], background);
    return true;
}

static inline void nats_top_sets_look(int pair, bool bold, bool dim, bool reversed, bool underlined) {
    attr_t look = A_NORMAL;
    if (bold) look |= A_BOLD;
    if (dim) look |= A_DIM;
    if (reversed) look |= A_REVERSE;
    if (underlined) look |= A_UNDERLINE;
    attrset((int)(look | COLOR_PAIR(pair)));
}

static inline void nats_top_writes(const char *bytes, int count) { addnstr(bytes, count); }

static inline void nats_top_goes_to(int row, int column) { move(row, column); }

static inline void nats_top_clears_to_line_end(void) { clrtoeol(); }

static inline void nats_top_shows(void) { refresh(); }

/// Everything is drawn anew at the next refresh.
static inline void nats_top_distrusts_screen(void) { clearok(stdscr, TRUE); }

/// A byte, a key's code, or -1.
static inline int nats_top_reads_key(void) { return getch(); }

static inline void nats_top_has_size(int *rows, int *columns) { getmaxyx(stdscr, *rows, *columns); }
