"""Words that describe music, to say what a point of the latent space sounds like.

Each is embedded like any prompt, so it must have a meaning on its own. The list follows the ways
in which people describe music: instruments, voices, genres, moods, sound, and places.
"""

from __future__ import annotations

INSTRUMENTS = (
    "piano", "electric piano", "harpsichord", "church organ", "Hammond organ", "accordion",
    "acoustic guitar", "electric guitar", "distorted guitar", "slide guitar", "bass guitar",
    "upright bass", "banjo", "mandolin", "ukulele", "harp", "sitar", "violin", "fiddle", "cello",
    "string section", "pizzicato strings", "orchestra", "brass section", "trumpet", "trombone",
    "French horn", "saxophone", "clarinet", "flute", "oboe", "pan flute", "bagpipes",
    "harmonica", "drum kit", "drum machine", "hand drums", "congas", "tabla", "timpani",
    "cymbals", "hi-hats", "hand claps", "marimba", "vibraphone", "music box", "glockenspiel",
    "bells", "gong", "steel drums", "synthesizer", "synth pads", "synth bass", "synth lead",
    "arpeggiator", "chiptune", "theremin", "turntable scratching",
)  # fmt: skip
VOICES = (
    "vocals", "female vocals", "male vocals", "choir", "opera singing", "rap", "spoken word",
    "chanting", "humming", "whistling", "screaming", "a cappella", "children singing",
    "instrumental",
)  # fmt: skip
GENRES = (
    "pop", "rock", "hard rock", "punk", "heavy metal", "indie rock", "folk", "country",
    "bluegrass", "blues", "jazz", "swing", "bossa nova", "soul", "funk", "disco", "R&B",
    "hip hop", "trap", "reggae", "dub", "ska", "gospel", "classical", "baroque", "string quartet",
    "opera", "soundtrack", "ambient", "drone", "new age", "noise", "electronic", "house",
    "techno", "trance", "drum and bass", "dubstep", "synthwave", "lo-fi hip hop", "trip hop",
    "industrial", "salsa", "tango", "flamenco", "samba", "polka", "waltz", "march", "Celtic",
    "Middle Eastern", "Indian classical", "African", "East Asian", "Balkan", "medieval",
    "video game music", "lullaby", "Christmas music", "marching band",
)  # fmt: skip
MOODS = (
    "happy", "cheerful", "funny", "playful", "sad", "melancholy", "nostalgic", "romantic",
    "tender", "dreamy", "calm", "peaceful", "meditative", "mysterious", "eerie", "scary", "dark",
    "tense", "dramatic", "epic", "triumphant", "angry", "aggressive", "energetic", "exciting",
    "groovy", "sensual", "hopeful", "lonely", "solemn",
)  # fmt: skip
SOUND = (
    "slow", "fast", "mid tempo", "steady beat", "driving beat", "no drums", "free rhythm",
    "loud", "quiet", "soft", "warm", "bright", "muffled", "distorted", "clean", "dense",
    "sparse", "minimal", "repetitive", "reverberant", "close and dry", "deep bass", "high pitched",
    "acoustic", "synthetic", "live recording", "old recording", "lo-fi", "crackling vinyl",
    "solo", "duet", "small group", "nature sounds", "crowd noise",
)  # fmt: skip
PLACES = (
    "dance club", "concert hall", "church", "campfire", "café", "western film", "horror film",
    "battle", "workout", "sleep", "study", "wedding", "carnival", "night drive",
)  # fmt: skip
WORDS: tuple[str, ...] = (*INSTRUMENTS, *VOICES, *GENRES, *MOODS, *SOUND, *PLACES)
