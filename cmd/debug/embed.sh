#!/bin/sh
# BSD-3-Clause; see LICENSE.
# embed.sh FILE…: print C source with the files as arrays (assets.h).
export LC_ALL=C
echo '/* Made by embed.sh. Do not edit. */'
echo '#include "assets.h"'
i=0
for f; do
    echo "static const unsigned char asset$i[] = {"
    od -An -v -tu1 "$f" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
    echo '};'
    i=$((i + 1))
done
echo 'const struct asset assets[] = {'
i=0
for f; do
    echo "    { \"${f##*/}\", asset$i, sizeof(asset$i) },"
    i=$((i + 1))
done
echo '    { NULL, NULL, 0 }'
echo '};'
