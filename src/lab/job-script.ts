import { gzipSync } from 'node:zlib';
import { deltaBetween, executableText, type Snapshot } from '../domain/snapshot.js';
import type { SnapshotStore } from '../store/snapshots.js';

/** The wrapper's own exit code when the files are not the experiment's: nothing of the experiment has run then. */
export const WRONG_CODE_EXIT = 97;

interface Place {
  readonly mark: string;
  /** The snapshot whose files the environment's working directory was made from. */
  readonly base: Snapshot;
}

/**
 * Runs before the task's own setup, in the folder that holds the base: keeps a copy of the base's files that setup cannot
 * change, from which each experiment's directory is made.
 */
export const setupScript = ({ mark, base, setup }: Place & { setup: string }): string =>
  `${keepBase({ mark, base })}\n${setup}`;

/**
 * Makes the experiment's own directory from the base and what differs, links what setup left (.venv, data), reports the hash
 * of the files that it is about to run together with the job's nonce, and only then runs them. It stands between two jobs of
 * a GPU: what the shell can do itself starts no process.
 */
export async function runScript(
  { mark, base, snapshot, name, nonce, run }: Place & { snapshot: Snapshot; name: string; nonce: string; run: string },
  snapshots: SnapshotStore,
): Promise<string> {
  const { changed, removed } = deltaBetween(base, snapshot);
  const files = await Promise.all(
    changed.map(async (file) => {
      const content = gzipSync(await snapshots.content(file)).toString('base64');
      return `put ${quoted(file.path)} ${file.executable ? 755 : 644} <<'END'\n${wrapped(content)}\nEND`;
    }),
  );
  const paths = snapshot.files.map(({ path }) => quoted(path)).join(' ');
  return `set -u
${keepBase({ mark, base })}
root=${rootOf(mark)}
workdir="$PWD"
dir="$root/experiments/${name}"
[ -d "$root/experiments" ] || mkdir -p "$root/experiments"
[ ! -e "$dir" ] || rm -rf "$dir"
cp -R "$root/bases/${base.hash}" "$dir" && cd "$dir" || exit ${WRONG_CODE_EXIT}
put() {
  case "$1" in */*) [ -d "\${1%/*}" ] || mkdir -p "\${1%/*}" ;; esac
  [ ! -x "$1" ] || rm -rf "$1" # a folder, or a script that need not be one any more
  base64 -d | gzip -d > "$1" && { [ "$2" = 644 ] || chmod "$2" "$1"; }
}
${removed.length > 0 ? `rm -f -- ${removed.map(({ path }) => quoted(path)).join(' ')}\n` : ''}${files.join('\n')}
known=$'\\n'
for list in "$root"/bases/*.list; do known="$known$(< "$list")"$'\\n'; done
link_what_setup_left() {
  local entry name links=()
  for entry in "$workdir/$1"* "$workdir/$1".[!.]*; do
    name="$1\${entry##*/}"
    case "$name" in *__pycache__ | .git | .autoresearch) continue ;; esac
    if [ ! -e "$entry" ]; then continue
    elif [ -d "$name" ] && [ ! -L "$name" ]; then link_what_setup_left "$name/"
    elif [ -e "$name" ] || [[ "$known" == *$'\\n'"./$name"$'\\n'* ]]; then continue
    elif [ -d "$entry" ] && [[ "$known" == *$'\\n'"./$name/"* ]]; then mkdir "$name"; link_what_setup_left "$name/"
    else links+=("$entry")
    fi
    [ \${#links[@]} -lt 500 ] || { ln -s -- "\${links[@]}" "./$1"; links=(); }
  done
  [ \${#links[@]} -eq 0 ] || ln -s -- "\${links[@]}" "./$1"
}
link_what_setup_left ""
sha256=sha256sum
command -v sha256sum > /dev/null || sha256="shasum -a 256"
hash="$({ printf '%s\\0' ${paths} | xargs -0 $sha256 --; printf %s ${quoted(executableText(snapshot.files))}; } | $sha256)"
echo "AUTORESEARCH_SNAPSHOT ${nonce} \${hash%% *}"
[ "\${hash%% *}" = ${snapshot.hash} ] || exit ${WRONG_CODE_EXIT}
printf %s ${quoted(run)} > "$dir.run.sh"
exec bash "$dir.run.sh"
`;
}

/** In a shell of its own: setup goes on in the same script, and must not find our variables. */
function keepBase({ mark, base }: Place): string {
  const list = gzipSync(base.files.map(({ path }) => `./${path}\n`).join('')).toString('base64');
  // Of jobs that start at once one makes the copy and the rest wait; a minute, for the one may have been killed.
  return `(
  set -o pipefail
  base=${rootOf(mark)}/bases/${base.hash}
  [ ! -d "$base" ] || exit 0
  mkdir -p "\${base%/*}"
  for ((waited = 0; waited < 600; waited++)); do
    mkdir "$base.lock" 2> /dev/null && break
    sleep 0.1
    [ ! -d "$base" ] || exit 0
  done
  trap 'rmdir "$base.lock"' EXIT
  [ ! -d "$base" ] || exit 0
  kept="$base.$$"
  mkdir -p "$kept" && base64 -d <<'END' | gzip -d > "$kept.list" && tar -cf - -T "$kept.list" | tar -xf - -C "$kept" && mv "$kept.list" "$base.list" && mv "$kept" "$base" && exit 0
${wrapped(list)}
END
  echo "autoresearch: the code's files are not all where the cluster was given them" >&2
  rm -rf "$kept" "$kept.list"
  exit ${WRONG_CODE_EXIT}
) || exit ${WRONG_CODE_EXIT}`;
}

const rootOf = (mark: string): string => `"\${AUTORESEARCH_ROOT:-$HOME/autoresearch}/${mark}"`;

/** Lines that every shell and ssh on the way takes. */
const wrapped = (base64: string): string => base64.replace(/.{1,160}/g, '$&\n').trimEnd();

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
