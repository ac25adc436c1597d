"""Lists, boxes, dialogs and hints that features use; they know no feature."""
