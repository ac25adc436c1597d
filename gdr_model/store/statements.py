"""The longer SQL statements of a library."""

WITHIN = "path >= ?1 AND (?2 IS NULL OR path < ?2)"
"""The files of a folder, by the two values of `records.within`."""

TAG_COLUMNS = (
    "title, artist, album, genre, year, albumartist, bpm, originalyear, key, comment, codec, "
    "sections"
)
_TRACK = (
    "SELECT path, duration_s, content, title, artist, album, genre, year, loudness_db, "
    "albumartist, bpm, originalyear, key, comment, codec, size, sections "
    "FROM tracks"
)
TRACKS = f"{_TRACK} WHERE {WITHIN} ORDER BY path"
TRACKS_OF = (
    f"{_TRACK} INDEXED BY tracks_content WHERE content IN (SELECT value FROM json_each(?3)) "
    f"AND {WITHIN} ORDER BY path"
)
"""The tracks of some contents, given as a JSON list."""
SOUNDS = f"SELECT path, content FROM tracks WHERE {WITHIN} ORDER BY path"
SECTIONS = f"SELECT content, sections FROM tracks WHERE sections <> '' AND {WITHIN} ORDER BY path"
TRACK = TRACKS.replace("ORDER BY path", "AND path = ?3")
PUT_TRACK = (
    "INSERT OR REPLACE INTO tracks (path, size, mtime_ns, ctime_ns, content, duration_s, "
    f"loudness_db, {TAG_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
TAGS = f"SELECT {TAG_COLUMNS} FROM tracks WHERE path = ?"
PUT_TAGS = f"UPDATE tracks SET ctime_ns = ?, {TAG_COLUMNS.replace(',', ' = ?,')} = ? WHERE path = ?"
MAKE_FORMER = (
    "INSERT OR REPLACE INTO former "
    "SELECT path, size, mtime_ns, content, duration_s, loudness_db FROM tracks WHERE path = ?"
)
PASSAGES = (
    "SELECT id, content, start_s, end_s, mean_row FROM passages "
    "WHERE space = ? AND id > ? AND content IN (SELECT content FROM tracks) ORDER BY id"
)
MIXER, MODULUS = 2_654_435_761, 4_294_967_296
SAME_PASSAGES = (
    f"SELECT count(*), coalesce(sum(id), 0), coalesce(sum(id * {MIXER} % {MODULUS}), 0) "
    "FROM passages WHERE space = ? AND id <= ? AND content IN (SELECT content FROM tracks)"
)
"""A checksum of ids: which passages there are up to one, without reading them all."""
SPACE = (
    "SELECT id FROM spaces WHERE encoder = ? AND dim = ? AND sample_rate_hz = ? "
    "AND window_s = ? AND hop_s = ? AND fingerprint = ?"
)
ENDS = (
    "SELECT (SELECT first_row + rows FROM latents WHERE space = ?1 "
    "ORDER BY first_row DESC LIMIT 1), "
    "(SELECT max(mean_row) + 1 FROM passages WHERE space = ?1)"
)
"""Where the next rows go: always after the last ones."""
DAMAGED = (
    "SELECT content FROM latents WHERE space = ?1 AND first_row + rows > ?2 "
    "UNION SELECT content FROM passages WHERE space = ?1 AND mean_row >= ?3"
)
SUMS_OF_MEANS = (
    "SELECT mean_row, checksum FROM passages "
    "WHERE space = ? AND mean_row BETWEEN ? AND ? AND checksum IS NOT NULL"
)
SUMS_BY_ID = (
    "SELECT id, content, mean_row, checksum FROM passages WHERE +space = ? AND id > ? "
    "AND EXISTS (SELECT 1 FROM tracks WHERE tracks.content = passages.content) ORDER BY id LIMIT ?"
)
"""Some at a time: of a million, all would take hundreds of megabytes, and others who read would
wait. The + keeps SQLite from the index of the space, which it would read and sort every time."""
SUMS_OF_SOME_MEANS = (
    "SELECT mean_row, checksum FROM passages "
    "WHERE space = ? AND mean_row IN (SELECT value FROM json_each(?)) AND checksum IS NOT NULL"
)
SUMS_OF_LATENTS = (
    "SELECT content, first_row, rows, checksum FROM latents WHERE space = ? "
    "ORDER BY first_row DESC LIMIT ?"
)
"""The newest first; all of them with a limit of -1."""
UNCHECKED = (
    "SELECT content, first_row, rows FROM latents WHERE space = ? AND checksum IS NULL LIMIT ?"
)
PASSAGES_OF = (
    "SELECT id, mean_row, start_s FROM passages WHERE space = ? AND content = ? ORDER BY start_s"
)
PUT_SUM_OF_LATENTS = "UPDATE latents SET checksum = ? WHERE space = ? AND content = ?"
PUT_SUM_OF_MEAN = "UPDATE passages SET checksum = ? WHERE id = ?"
VALUES = {
    field: f"SELECT {value}, count(*) FROM tracks WHERE {WITHIN} AND {value} <> '' "
    f"GROUP BY {value} ORDER BY count(*) DESC, 1"
    for field, value in (
        ("artist", "artist"),
        ("album", "album"),
        ("genre", "genre"),
        ("year", "coalesce(originalyear, year)"),
    )
}
"""How many tracks have each value that a filter compares with, most frequent first."""
