#!/usr/bin/env bash
# Takes the picture in the README: the live view of `emotion-service demo` in an 80-column terminal.
# usage: docs/capture.sh SECONDS OUT.svg [demo's options]      needs tmux; run from the checkout
set -euo pipefail
seconds=$1 out=$2
shift 2
session=emotion-capture-$$
tmux new-session -d -s "$session" -x 80 -y 26 ".venv/bin/emotion-service demo $*; sleep 5"
trap 'tmux kill-session -t "$session" 2>/dev/null || true' EXIT
sleep "$seconds"
tmux capture-pane -t "$session" -e -p | .venv/bin/python -c '
import io, re, sys
from rich.console import Console
from rich.text import Text
console = Console(record=True, width=80, file=io.StringIO())
console.print(Text.from_ansi(sys.stdin.read().rstrip()))
svg = console.export_svg(title="make run")
svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no fonts from elsewhere
open(sys.argv[1], "w").write(svg.replace("Fira Code", "ui-monospace"))
' "$out"
