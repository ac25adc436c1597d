"""Every error gdr raises on purpose; each message is one sentence fit for a user.

GdrError                     refused or failed                       exit code 1
├── UsageError               an argument that cannot be meant        exit code 2
├── DecodeError              a file that holds no readable sound
├── LibraryError             a library that is missing or unreadable
│   ├── SpaceMismatch        latents of one space, a model of another
│   └── StoreUnavailable     a full disk, or a file that another program holds
├── ModelError               a model folder that is missing or malformed
│   └── WeightsMissing       weights that have to be fetched first
└── Cancelled                stopped because the caller asked        exit code 130
"""


class GdrError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1


class UsageError(GdrError):
    """An argument that cannot be meant."""

    exit_code = 2


class DecodeError(GdrError):
    """A file that holds no readable sound."""


class LibraryError(GdrError):
    """A library that is missing or unreadable."""


class SpaceMismatch(LibraryError):
    """Latents of one space were about to be compared with another's."""


class StoreUnavailable(LibraryError):
    """A file that another program holds or that finds no room; later it may go well."""


class ModelError(GdrError):
    """A model folder that is missing or malformed."""


class WeightsMissing(ModelError):
    """Weights that have to be fetched first."""


class Cancelled(GdrError):
    """The caller asked to stop."""

    exit_code = 130
