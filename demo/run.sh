#!/bin/sh
# Opens the app on a library; without a terminal, prints the results of three searches instead.
set -eu
gdr=$1
library=$2
if [ -t 0 ] && [ -t 1 ]; then
    exec "$gdr" tui --library "$library"
fi
"$gdr" index "$library"
"$gdr" search --prompts-file - --library "$library" -k 5 <<PROMPTS
sad solo piano
fast electronic dance music
acoustic guitar, calm and warm
PROMPTS
