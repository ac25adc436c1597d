"""Words for what a recording can have or be, by how they behave after "no", "without" and "not".

Not everything that music can be called: a negation of other words ("no borders") is left as it is
typed. Nouns are singular here; `gdr_tui.language.negation` knows their plurals.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """The words of a text with blanks between them."""
    return frozenset(text.split())


MASS = words("""
    percussion singing rapping screaming shouting yelling growling talking speaking whispering
    humming whistling yodeling yodelling clapping stomping drumming strumming chanting crooning
    wailing scratching beatboxing scatting sampling looping shredding soloing tapping picking
    fingerpicking autotuning laughing laughter crying moaning breathing beeping buzzing clicking
    ringing rumbling hissing crackling clipping cheering swearing cursing profanity autotune
    auto-tune auto-tuned reverb reverberation distortion delay echo feedback noise static hiss
    crackle hum applause speech dialogue narration poetry instrumentation production compression
    electronics birdsong chatter syncopation dissonance chromaticism
    harmony improvisation repetition vibrato tremolo falsetto
    accompaniment ornamentation
""")  # fmt: skip
"""Nouns without a plural; they end what is negated, as a plural does."""

THINGS = MASS | words("""
    drum drumkit drum-kit snare kick kick-drum cymbal hi-hat hihat tom conga bongo djembe tabla
    taiko timpani tambourine maraca shaker cowbell woodblock triangle castanet gong 808 909
    drumbeat beat breakbeat backbeat blastbeat blast-beat groove rhythm tempo pulse loop fill
    bass bassline bass-line basslines subbass sub-bass sub guitar riff solo lick chord arpeggio
    powerchord banjo mandolin ukulele lute oud sitar harp lyre zither koto shamisen dulcimer
    bouzouki balalaika violin viola cello fiddle contrabass string pizzicato orchestra
    orchestration piano keyboard keys rhodes wurlitzer harpsichord clavichord celesta organ
    hammond accordion concertina harmonium melodica harmonica bandoneon synth synthesizer
    synthesiser moog pad lead drone sequencer arpeggiator vocoder sampler turntable theremin
    sample brass horn trumpet trombone tuba cornet flugelhorn bugle saxophone sax woodwind flute
    piccolo clarinet oboe bassoon recorder whistle bagpipe didgeridoo kazoo ocarina xylophone
    marimba vibraphone vibe glockenspiel bell chime kalimba handpan steelpan steel-drum
    instrument instrumental vocal vox voice singer vocalist rapper soprano alto tenor baritone choir
    choral chorus crooner lyric word verse refrain hook rap scream shout growl yell shriek
    whisper chant hum croak moan yodel narrator announcer mc dj host speaker drummer guitarist
    pianist bassist violinist soloist band melody tune motif counterpoint modulation key
    intro outro bridge build-up buildup drop breakdown crescendo effect fx sound-effect click
    clap handclap hand-clap footstep crowd audience bird birdsong siren gunshot explosion
    glitch crackles pop-up jingle voiceover voice-over skit interlude medley remix cover
    english french spanish german falsettos ad-lib adlib scat cliche
    dissonances strings noises
""")  # fmt: skip
"""What can be heard in a recording: "no drums"."""

CALM = words("""
    slow quiet soft calm gentle mellow relaxed relaxing soothing peaceful sleepy tender delicate
    light smooth chill chilled laid-back laidback downtempo subdued serene still meditative lazy
    sluggish boring bland plain
""")  # fmt: skip
LIVELY = words("""
    fast loud quick upbeat uptempo up-tempo energetic aggressive harsh heavy hard busy noisy
    abrasive frantic frenetic intense dramatic rushed hectic chaotic driving hyper manic wild
    powerful punchy pounding bombastic epic booming screechy shouty danceable rowdy brutal
    violent angry rough distorted dense cluttered crowded overproduced jarring
    distracting annoying irritating grating overwhelming exciting thrilling
""")  # fmt: skip
GLOOMY = words("""
    sad dark gloomy depressing melancholy melancholic mournful somber sombre bleak scary creepy
    eerie sinister spooky ominous tense moody emotional sentimental tragic bitter heavy-hearted
    miserable serious solemn
""")  # fmt: skip
BRIGHT = words("""
    happy cheerful cheery joyful sunny bright funny silly cheesy corny playful cute poppy
    uplifting triumphant romantic sweet sugary syrupy sappy kitschy jolly
""")  # fmt: skip
QUALITIES = CALM | LIVELY | GLOOMY | BRIGHT | words("""
    electronic acoustic electric electrified amplified synthetic digital analog analogue organic
    instrumental vocal lyrical sung spoken rapped screamed shouted female male solo live recorded
    lo-fi lofi hi-fi polished produced processed autotuned auto-tuned clean dry wet reverberant
    echoey muffled fuzzy warm cold deep high low shrill piercing tinny bassy boomy nasal hoarse
    melodic rhythmic percussive harmonic atonal dissonant tonal minor major modal chromatic
    syncopated repetitive monotonous minimal minimalist minimalistic sparse simple complex
    complicated technical experimental weird strange modern contemporary old old-fashioned vintage
    retro nostalgic traditional commercial mainstream generic jazzy bluesy rocky funky folky
    symphonic orchestral theatrical operatic religious sacred political explicit vulgar long
    short big small groovy catchy sexy sensual dreamy spacey trippy psychedelic hypnotic
    cinematic artificial robotic mechanical metallic dull mid-tempo steady western eastern
    spiritual exotic tropical pretentious trashy
""")  # fmt: skip
"""What a recording can be: "not too fast"."""

ADJUNCTS = words("""
    lead backing background human real other extra additional added love break-up vinyl tape
    studio radio string power church computer machine game film movie kids kid's kids' child
    child's children children's woman woman's women women's man man's men men's boy girl baby guest
    natural obvious prominent audible unnecessary sudden opening closing final catchy rhythm
    programmed sampled stock canned steel rain wind thunder animal party club world march
""")  # fmt: skip
"""Words before a noun that say nothing on their own: "no background vocals"."""

STYLES = words("""
    jazz blues rock pop punk metal folk country bluegrass soul funk disco r&b rnb reggae dub ska
    reggaeton dancehall gospel classical baroque opera operas ambient electronica edm idm house
    techno trance dubstep dnb jungle garage grime trap hip-hop hiphop rap lo-fi lofi synthwave
    vaporwave synthpop electro industrial noise-rock grunge emo hardcore metalcore deathcore
    screamo indie alternative shoegaze post-rock krautrock prog progressive psychedelia trip-hop
    downbeat chillout muzak exotica new-age swing bebop bop dixieland ragtime fusion
    smooth-jazz salsa samba bossa-nova bossa tango cumbia merengue bachata mambo flamenco latin
    polka waltz klezmer celtic irish balkan arabic indian african asian afrobeat
    afrobeats k-pop kpop j-pop jpop christmas xmas lullaby medieval renaissance romantic-era
    soundtrack musicals musical acapella cappella a-cappella americana zydeco cajun soca
    calypso hardstyle gabber psytrance eurodance italo drill phonk hyperpop bubblegum breakcore
    chiptune 8-bit dance ballad anthem singer-songwriter easy-listening
    drum-and-bass drum'n'bass rock-and-roll rock'n'roll thrash death-metal black-metal doom
    sludge djent math-rock
""")  # fmt: skip
"""What a recording can belong to: "no jazz", "not jazz", "jazz music"."""

KINDS = words("""
    music song track piece sound stuff tune version record recording number composition part
    section element passage line pattern material performance arrangement style
""")  # fmt: skip
"""Nouns that mean nothing without one of the words above: "no sad songs"."""
WHOLES = KINDS | words("instrument instrumentation")
"""Nouns that belong to one before them that would end the phrase."""

_DECADE = re.compile(r"'?(\d\d)?\d0'?s")
_SINGULARS = (("ies", "y"), ("es", ""), ("s", ""))


def is_in(word: str, among: frozenset[str]) -> bool:
    """Whether a word or its singular is among some words."""
    return word in among or any(
        word.endswith(ending) and word.removesuffix(ending) + instead in among
        for ending, instead in _SINGULARS
    )


def is_style(word: str) -> bool:
    """Whether it names a style or a decade."""
    return is_in(word, STYLES) or bool(_DECADE.fullmatch(word))


def is_whole(word: str) -> bool:
    """Whether a noun ends what is negated: "no drums ambient", but "no bass guitar"."""
    plural = word.endswith("s") and word not in ("bass", "brass", "subbass", "sub-bass", "blues")
    return word in MASS or (plural and is_in(word, THINGS))
