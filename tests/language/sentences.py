"""Sentences with and without a negation, and how each is to be read.

`DEVELOPED` was used while the rules were written; `HELD_OUT` was written before them and no rule
or word was changed for it. A negated sentence has the words that remain, and what it pushes away
from; a plain one keeps all of its words.
"""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """A line, its words, and its negatives."""

    line: str
    words: str
    negatives: tuple[str, ...]


def _sentences(table: str) -> tuple[Sentence, ...]:
    """Rows of `line | words | negative, negative`; a row with the line alone is plain."""
    rows = [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]
    return tuple(
        Sentence(row[0], row[0], ())
        if len(row) == 1
        else Sentence(row[0], row[1], tuple(filter(None, (t.strip() for t in row[2].split(",")))))
        for row in rows
    )


DEVELOPED = _sentences("""
no drums | music | drums
No drums | music | drums
NO DRUMS | music | DRUMS
no drums, please | music | drums
music without drums | music | drums
music without drums or bass | music | drums, bass
without vocals | music | vocals
piano without any vocals | piano | vocals
piano but no drums | piano | drums
piano with no drums | piano | drums
piano and no drums | piano | drums
piano, no drums, slow | piano, slow | drums
no piano, only guitar | only guitar | piano
not too fast | music | fast
slow and not too sad | slow | sad
not jazz | music | jazz
not jazz or blues | music | jazz, blues
not sad music | music | sad music
never loud | music | loud
ambient that never gets loud | ambient | loud
nothing electronic | music | electronic
nothing too loud | music | loud
non-vocal jazz | jazz | vocal
instrumental without any singing | instrumental | singing
folk song free of vocals | folk song | vocals
techno minus the vocals | techno | vocals
I don't want drums | music | drums
I don’t want any drums | music | drums
calm piano, I do not want any vocals | calm piano | vocals
something that isn't too loud | music | loud
a track that doesn't have drums | a track | drums
drumless ambient | ambient | drums
vocal-free techno | techno | vocals
no-drums ambient piece | ambient piece | drums
slow guitar w/o drums | slow guitar | drums
piano sans drums | piano | drums
no electric guitar | music | electric guitar
no bass guitar solos | music | bass guitar solos
warm strings, no heavy drums | warm strings | heavy drums
no vocals lo-fi hip hop | lo-fi hip hop | vocals
no drums or bass | music | drums, bass
no drums, bass or vocals | music | drums, bass, vocals
no drums and no bass | music | drums, bass
no drums and bass | music | drums, bass
neither drums nor bass | music | drums, bass
strings with neither drums nor bass | strings | drums, bass
no drums, soft piano | soft piano | drums
no drums and soft piano | soft piano | drums
not too fast or loud | music | fast, loud
not too fast and not too loud | music | fast, loud
not loud and aggressive | music | loud, aggressive
not loud but gentle | gentle | loud
not jazz but blues | blues | jazz
anything but jazz | music | jazz
everything except vocals | music | vocals
guitar instead of piano | guitar | piano
excluding vocals | music | vocals
avoid drums | music | drums
acoustic guitar, nobody singing | acoustic guitar | singing
no drum and bass | music | drum and bass
no R&B | music | R&B
no 80s synths | music | 80s synths
nothing from the 80s | music | 80s
jazz with little to no percussion | jazz | percussion
piano with hardly any percussion | piano | percussion
not too much bass | music | bass
not a lot of singing | music | singing
no "electric piano" | music | electric piano
there should be no drums | music | drums
has no vocals, just piano | just piano | vocals
slow piano no drums no vocals | slow piano | drums, vocals
piano, no drums at all | piano | drums
piano with absolutely no drums | piano | drums
quiet guitar without being too sad | quiet guitar | sad
more piano, less drums | more piano | drums
no sad songs | music | sad songs
not acoustic guitar | music | acoustic guitar
not fast piano | piano | fast
no autotune | music | autotune
lacking drums | music | drums
No Woman No Cry
no woman, no cry
no wave
no wave post-punk
no-wave guitars
no-input mixing
no input noise
nothing else matters
not your average jazz
without you
without me
Nothing Compares 2 U
nothing compares to piano
can't stop dancing
no limits techno
non-stop party
not only piano but also strings
not just drums
no doubt about it
no frills rock
nothing but drums
no holds barred metal
why not jazz
whether or not drums
"no drums" | no drums |
'no strings attached'
no strings attached
a horse with no name
slow if not sad
don't stop the music
don't worry be happy
allegro ma non troppo
carefree whistling
royalty-free music
endless summer
free jazz
drum and bass
more or less jazz
piano not without drums
never gonna give you up
never mind the drums
no more tears
no one sings like you
Sonata no. 5 for piano
symphony no 9
no 1 hits
music for a night without sleep
knot
notes on a piano
note by note
another night
canon in D
nocturne
normal drums
unplugged
no surprises
piano covers of No Surprises
Songs like No Jazz by a band
not unlike jazz
not bad piano
not dark yet
no jazz without a drummer
a world without borders
ain't no sunshine
ain't no mountain high enough
i still haven't found what i'm looking for
you can't hurry love
nevermind
never too late
last but not least, drums
timeless piano
wordless vocals
kimi no na wa piano
slow piano
loud drums and bass
techno
solo piano, no vocals | solo piano | vocals
ambient without drums | ambient | drums
acoustic guitar without singing | acoustic guitar | singing
relaxing music without lyrics | relaxing music | lyrics
no guitar please | music | guitar
jazz without saxophone | jazz | saxophone
upbeat but not electronic | upbeat | electronic
classical, not opera | classical | opera
metal without screaming | metal | screaming
dark techno with no vocals | dark techno | vocals
hip hop with no autotune | hip hop | autotune
sad piano, not too slow | sad piano | slow
something calm but not boring | something calm | boring
strings without percussion or vocals | strings | percussion, vocals
no singing | music | singing
no rap | music | rap
no electronic sounds | music | electronic sounds
no distorted guitars | music | distorted guitars
rock without heavy distortion | rock | heavy distortion
folk music, but without banjo | folk music | banjo
choir without instruments | choir | instruments
quiet and without a beat | quiet | beat
beats without any bass | beats | bass
not instrumental | music | instrumental
not a ballad | music | ballad
not classical music | music | classical music
not very loud | music | loud
not overly dramatic strings | strings | dramatic
not so dark | music | dark
piano that isn't sad | piano | sad
it shouldn't be loud | music | loud
songs that don't have drums | songs | drums
I do not like saxophone | music | saxophone
nothing sad | music | sad
nothing with vocals | music | vocals
never aggressive, always soft | always soft | aggressive
dance music that never gets too fast | dance music | fast
non-electronic dance music | dance music | electronic
beatless ambient | ambient | beats
late night jazz minus the piano | late night jazz | piano
pop but no female vocals | pop | female vocals
no trumpet or trombone | music | trumpet, trombone
no violins, no cellos | music | violins, cellos
funk, no horns, no vocals | funk | horns, vocals
lofi beats no vocals | lofi beats | vocals
instrumental hip hop, no rapping, no singing | instrumental hip hop | rapping, singing
guitar music lacking any percussion | guitar music | percussion
exclude vocals | music | vocals
meditation music devoid of rhythm | meditation music | rhythm
no reverb, dry drums | dry drums | reverb
drums only, no melody | drums only | melody
bass and drums without guitar | bass and drums | guitar
rock without any keyboards or synths | rock | keyboards, synths
no country | music | country
anything except techno | music | techno
a song without a chorus | a song | chorus
orchestral piece with no brass section | orchestral piece | brass section
not too noisy, not too quiet | music | noisy, quiet
Piano without drums | Piano | drums
soft synths without the drum machine | soft synths | drum machine
no hand claps | music | hand claps
no crowd noise | music | crowd noise
techno, not trance | techno | trance
Christmas music without bells | Christmas music | bells
please no vocals | music | vocals
no man is an island
no country for old men
no sleep till brooklyn
no scrubs
no rain
no pain no gain workout
no time to die
no quarter
no church in the wild
no love lost
no regrets
no rest for the wicked
no one knows
no filter
no nonsense punk rock
with or without you
without a doubt the best jazz
life without limits
summer without end
girls just want to have fun
nothing to lose
nothing breaks like a heart
nothing in particular
nothing really matters
not in love
not afraid
not another love song
not the same
not today
love me or not
to be or not to be
believe it or not
never tear us apart
never let me go
never ending story
neverland
don't look back in anger
don't let me down
don't you forget about me
i can't get no satisfaction
we don't talk anymore
i want it all
free fall
sugar free
minus the bear
post-rock crescendo
knocking on heaven's door
notorious beats
canto without words | canto | words
anti-folk
avoid the noid
the sound of silence
slow waltz for two
epic drums and brass
a girl singing with a ukulele
lost without your love
it's not unusual
not quite jazz
nonsense songs
the drums are not alone
concerto no. 2 in c minor
piano and nothing else
tonari no totoro
study music, no vocals | study music | vocals
slow blues guitar without drums | slow blues guitar | drums
piano trio but without the bass | piano trio | bass
lofi hip hop without vocals | lofi hip hop | vocals
no synths | music | synths
no cymbals please, just hand drums | just hand drums | cymbals
peaceful flute, no percussion | peaceful flute | percussion
house music without a vocal sample | house music | vocal sample
epic orchestral music with no choir | epic orchestral music | choir
something jazzy without saxophones | something jazzy | saxophones
not too heavy rock | rock | heavy
melodic techno, not too dark | melodic techno | dark
songs with guitar but without any drums | songs with guitar | drums
I want ambient music, not drone | I want ambient music | drone
music for sleeping with no sudden loud sounds | music for sleeping | sudden loud sounds
no beats | music | beats
I hate autotune | music | autotune
rap without swearing | rap | swearing
reggae, not ska | reggae | ska
no dubstep or trap | music | dubstep, trap
neither vocals nor guitars, only synths | only synths | vocals, guitars
acoustic version, no electric guitars | acoustic version | electric guitars
solo violin, no accompaniment | solo violin | accompaniment
no male vocals | music | male vocals
female singer without backing vocals | female singer | backing vocals
not country, but folk | folk | country
anything but opera | music | opera
piano ballads that are not sad | piano ballads | sad
nothing aggressive | music | aggressive
nothing too experimental | music | experimental
film score without strings | film score | strings
movie soundtrack, no dialogue | movie soundtrack | dialogue
fast but not loud | fast | loud
loud but not distorted | loud | distorted
a beat that is not too busy | a beat | busy
no banjo! | music | banjo
drums without bass | drums | bass
it has no drums and no vocals | music | drums, vocals
a piece with neither piano nor strings | a piece | piano, strings
non-western instruments | instruments | western
warm pads, never harsh | warm pads | harsh
guitar and voice, no other instruments | guitar and voice | other instruments
not a slow song | music | slow song
no slow songs | music | slow songs
party music, not too cheesy | party music | cheesy
rock instrumental, not metal | rock instrumental | metal
bossa nova with no singing | bossa nova | singing
soundscape free of melody | soundscape | melody
drum and bass without vocals | drum and bass | vocals
jazz without drum and bass | jazz | drum and bass
classical guitar rather than piano | classical guitar | piano
baroque music, harpsichord instead of piano | baroque music, harpsichord | piano
no fast tempo | music | fast tempo
please don't play any jazz | music | jazz
deep house minus vocals | deep house | vocals
no bells or chimes | music | bells, chimes
not very energetic | music | energetic
does not contain vocals | music | vocals
ambient, absolutely no beat | ambient | beat
woodwinds, no brass | woodwinds | brass
nothing beats jazz
no guitar hero
you can't beat jazz
don't rock the boat
don't be sad
i won't dance
no jazz hands
piano man, no regrets
no party without music
like no other voice
no ordinary love
no one like you
no way out
no exit
no place like home
no roots
no peace
no tears left to cry
no milk today
no expectations
no angel
no cover charge
without wings
a life without you
without love
not a second time
not ready to make nice
not gonna get us
not over you
not while i'm around
never dance again
never there
never say never
never ever
never been to spain
nothing but thieves
nothing from nothing
nothing to fear
nothing ever happens
ain't nobody
ain't misbehavin
can't help falling in love
can't feel my face
don't know why
don't worry
don't speak
isn't she lovely
we can't dance
couldn't stand the weather
the no-hit wonder
nocturnal house
not just a pretty voice
not only fast but also loud
techno or not
if not now, when
less is more
nonet for winds
snow falling, piano
northern soul
minus 8 degrees
freestyle rap
free improvisation
restless drums
seamless mix
notturno
ninety nine problems
knocking rhythm
another love song
absolutely everybody
lost in the woods with a banjo
no synths except pads | pads | synths
no percussion instruments | music | percussion instruments
without loud drums or distorted guitars | music | loud drums, distorted guitars
no loud or fast music | music | loud, fast music
not at all loud | music | loud
not-too-fast piano | piano | fast
no human voice | music | human voice
no more drums | music | drums
instrumental [no vocals] | instrumental | vocals
no drums in this song | music | drums
features no vocals | music | vocals
the melody-less kind of drone | the kind of drone | melody
no other instruments used | music | other instruments
when he is not rapping | when he | rapping
no drum beat until the end
jazz, no more than two instruments
covers of No Drums by a band
music without words | music | words
songs without words by mendelssohn
all the instruments play notes not yet known
no drums just piano | just piano | drums
a calm song without percussion | a calm song | percussion
acoustic folk without harmonica | acoustic folk | harmonica
not too slow | music | slow
guitar but no singing | guitar | singing
piano without strings | piano | strings
upbeat pop without rap | upbeat pop | rap
no guitars, only synths | only synths | guitars
soft jazz, no trumpet | soft jazz | trumpet
electronic but not techno | electronic | techno
sad but not depressing | sad | depressing
spooky music without screams | spooky music | screams
instrumental rock, no vocals at all | instrumental rock | vocals
orchestra with no percussion | orchestra | percussion
relaxing, not boring | relaxing | boring
cello and piano, without violin | cello and piano | violin
a beat without a snare | a beat | snare
hip hop beat with no hi-hats | hip hop beat | hi-hats
female choir, no men's voices | female choir | men's voices
slow dance, not a waltz | slow dance | waltz
metal with no screaming or growling | metal | screaming, growling
romantic strings without a singer | romantic strings | singer
quiet music for reading, no lyrics | quiet music for reading | lyrics
jazz piano without bass and drums | jazz piano | bass, drums
not classical, not jazz | music | classical, jazz
energetic but not aggressive | energetic | aggressive
chill beats, never loud | chill beats | loud
a lullaby without words or singing | a lullaby | words, singing
no electronic drums, please | music | electronic drums
field recording, no music, no voices | field recording, no music | voices
punk without distortion | punk | distortion
organ music, not church organ | organ music | church organ
no autotuned vocals | music | autotuned vocals
something with flute but not with drums | something with flute | drums
I would like a song without any guitars | I would like a song | guitars
I don't like trumpets | music | trumpets
don't want anything sad | music | sad
nothing too slow | music | slow
nothing heavy | music | heavy
background music that isn't distracting | background music | distracting
the song must not have vocals | the song | vocals
world music, no sitar | world music | sitar
reggae beat without reverb | reggae beat | reverb
80s pop without synths | 80s pop | synths
trance, no vocals, no breakdown | trance | vocals, breakdown
waltz without an orchestra | waltz | orchestra
vocal jazz without scat singing | vocal jazz | scat singing
no bass drop | music | bass drop
marimba solo, no other percussion | marimba solo | other percussion
smooth saxophone, not too cheesy | smooth saxophone | cheesy
fast banjo, no singing, no drums | fast banjo | singing, drums
ambient free of percussion | ambient | percussion
dub techno minus the kick | dub techno | kick
choral music instead of opera | choral music | opera
vocals-free funk | funk | vocals
a lo-fi beat, not jazzy | a lo-fi beat | jazzy
non-classical guitar | guitar | classical
punk rock not ska | punk rock | ska
drone without any rhythm | drone | rhythm
neither jazz nor blues | music | jazz, blues
knights marching to battle
no fear
no limit
no mountain high enough
no roots reggae party
no sugar tonight
no ordinary day
no good deed
no rush, slow waltz
no worries, beach guitar
no strings on me
no speed limit techno
no excuses
no sunshine when she's gone
without a paddle
without warning
world without end
nights without stars
without further ado
not fade away
not alone
not guilty
not the end of the world
not another teen movie
not in kansas anymore
not my cup of tea jazz
not just another rock band
not only drums but also bass
whether or not you dance
rock or not
nothing ventured nothing gained
nothing stays the same
nothing left to say
nothing like the sun
never enough
never alone again
never ending story theme
never look back
can't get you out of my head
can't buy me love
don't fear the reaper
don't cry for me argentina
don't go breaking my heart
isn't it ironic
wouldn't it be nice
won't get fooled again
ain't too proud to beg
no hay banda
nonchalant whistling
novelty songs
notable piano solos
nordic folk
minor key without hope
drums and nothing but drums
solo guitar, nothing more
seamless house mix
boundless energy
fearless trumpet fanfare
fat-free yoghurt advert music
royalty free piano
free as a bird
the night is not over
slow, if not sleepy
more drums, more or less
piano piece no. 3
opus 11 no 2
""")

HELD_OUT = _sentences("""
no brass | music | brass
no hip hop | music | hip hop
piano solo, no orchestra | piano solo | orchestra
rain sounds without music or voices | rain sounds without music | voices
indie folk without drums | indie folk | drums
a waltz without piano | a waltz | piano
jazz ballad, no vocals, no trumpet | jazz ballad | vocals, trumpet
electronic music without a kick | electronic music | kick
samba without whistles | samba | whistles
not rock | music | rock
not metal, please | music | metal
not instrumental music | music | instrumental music
bright but not harsh | bright | harsh
slow, but not gloomy | slow | gloomy
dreamy synths, not too bright | dreamy synths | bright
a march, not too fast | a march | fast
folk that is not country | folk | country
guitar without effects | guitar | effects
flute without accompaniment | flute | accompaniment
cheerful ukulele, no whistling | cheerful ukulele | whistling
cinematic strings, no drums, no vocals | cinematic strings | drums, vocals
no slow ballads | music | slow ballads
no dubstep | music | dubstep
nothing jazzy | music | jazzy
nothing too sad or dark | music | sad, dark
deep techno with no melody | deep techno | melody
gospel without a choir | gospel | choir
blues without harmonica or slide guitar | blues | harmonica, slide guitar
synthwave with no guitar solo | synthwave | guitar solo
choir singing without organ | choir singing | organ
no percussion, no bass, just violin | just violin | percussion, bass
meditation with no voice | meditation | voice
music that is not loud | music | loud
music that doesn't sound electronic | music | electronic
it should not be fast | music | fast
I want no drums | music | drums
I'd like rock but I don't want vocals | I'd like rock | vocals
give me jazz without saxophone | give me jazz | saxophone
please, no singing | music | singing
absolutely no autotune | music | autotune
vocal-free study beats | study beats | vocals
drumless jazz trio | jazz trio | drums
non-electronic lullaby | lullaby | electronic
quiet pads and no beat | quiet pads | beat
guitars, not synths | guitars | synths
acoustic, not electric | acoustic | electric
neither drums nor vocals, slow | slow | drums, vocals
everything but the vocals | music | vocals
ballads excluding piano | ballads | piano
more strings and less percussion | more strings | percussion
funk bass line without slap | funk bass line | slap
heavy riffs with no screaming | heavy riffs | screaming
trip hop, no rapping please | trip hop | rapping
ambient - no drums - with bells | ambient with bells | drums
Slow Piano, No Vocals | Slow Piano | Vocals
no surprises here
no tomorrow
no other way
no more lonely nights
no heaven
no promises
no ceiling
no dancing on sundays
no business like show business
no more mr nice guy
no such thing
no parking on the dance floor
no letting go
no matter what
no air
no role models
no sound but the wind
without me here
without your love
without a net
boats without a harbor
days without rain
a love without end
not over yet
not your girl
not a day goes by
not that kind of girl
not so different
not gonna lie
not all heroes wear capes
nothing compares to you
nothing else
nothing to prove
nothing gold can stay
sweet nothing
never too old to rock
never gonna stop
never going back again
never catch me
can't fight this feeling
can't take my eyes off you
can't sleep, soft rain
don't dream it's over
don't stop believin
don't start now
don't leave me this way
doesn't matter
isn't this a lovely day
wasn't expecting that
hasn't hit me yet
cold november fog, organ
notes from a small island
northern lights, strings
knocked out loaded
noise rock
innovative drums
freedom jazz
stainless steel drums
reckless driving beat
minus ten degrees, slow harp
nevertheless
""")
