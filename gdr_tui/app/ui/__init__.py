"""Lists, boxes, dialogs and hints that any feature may use; they know none of them."""
