"""Which files are music, by their suffix, and which formats FFmpeg is allowed to read.

Read is whatever libsndfile and the FFmpeg that comes with PyAV decode, under the suffixes that
sound has; of the containers that hold films too, those that music is sold or shared in (`.mp4`,
`.webm`). Films under the suffixes of films (`.mkv`, `.mov`) are not music.
"""

from __future__ import annotations

_READ = """
    .wav .wave .bwf .rf64 .w64 .aiff .aif .aifc .caf .au .snd .voc
    .flac .m4a .ape .wv .tta .tak .shn .mlp .thd
    .dsf .dff
    .mp3 .mp2 .mp1 .mpa .aac .m4b .m4r .mp4 .3gp .3ga .f4a .ogg .oga .opus .spx
    .wma .asf .mka .webm .weba .mpc .mp+ .mpp .ac3 .eac3 .ec3 .dts .dtshd
    .amr .awb .oma .aa3 .at3 .ra
"""
# Notes instead of sound; modules of trackers and game music; sold with a lock; without a decoder
# or a header; films.
_UNREAD = """
    .mid .midi .kar .rmi
    .mod .xm .it .s3m .mtm .stm .669 .med .okt .umx .mo3
    .sid .nsf .nsfe .spc .gbs .vgm .vgz .ay .ym .hes .kss .psf .minipsf .psf2 .usf .miniusf
    .m4p .aa .aax .aaxc
    .ofr .ofs .la .lpac .pac .rka .gsm .rm .ram .cda .iso
    .m4v .mkv .mov .avi .mpg .mpeg .vob .flv .f4v .wmv .ogv .ts .m2ts .3g2
"""

SUFFIXES = frozenset(_READ.split())
"""Suffixes of music files, lower case."""

UNREAD_SUFFIXES = frozenset(_UNREAD.split())
"""Suffixes of files that hold music or other sound and are not read, lower case."""

_FORMATS = (
    "mp3,aac,loas,mov,mp4,m4a,flac,ogg,wav,w64,aiff,caf,au,voc,asf,matroska,webm,wv,tta,ape,tak,"
    "shn,mpc,mpc8,dsf,iff,ac3,eac3,dts,dtshd,truehd,mlp,amr,amrnb,amrwb,oma,rm"
)
"""Demuxers that read one file. Playlists, image sequences and scripts are not among them."""

AV_OPTIONS = {
    # A playlist renamed to .mp3 must not make FFmpeg open the files it names.
    "protocol_whitelist": "none",
    "format_whitelist": _FORMATS,
}
