"""`gdr eval spread`: rolls compared with other ways to a varied list, where they are equally new.

The captions of the set are labels ("jazz music", "piano"), and each is a prompt. A list is right
as far as its tracks have the label, new as far as another roll doesn't have them, and wide as far
as it has tracks of other labels.
"""
