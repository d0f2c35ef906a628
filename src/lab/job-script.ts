import { gzipSync } from 'node:zlib';
import { deltaBetween, type Snapshot } from '../domain/snapshot.js';
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
 * of the files that it is about to run together with the job's nonce, and only then runs them.
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
  return `set -u
${keepBase({ mark, base })}
workdir="$PWD"
dir="$root/experiments/${name}"
rm -rf "$dir" && mkdir -p "$dir" && cp -R "$root/bases/${base.hash}/." "$dir/" && cd "$dir" || exit ${WRONG_CODE_EXIT}
put() { case "$1" in */*) mkdir -p "\${1%/*}" ;; esac; rm -f "$1"; base64 -d | gunzip > "$1" && chmod "$2" "$1"; }
${removed.map(({ path }) => `rm -f ${quoted(path)}\n`).join('')}${files.join('\n')}
known="$(cat "$root"/bases/*.list)"
link_what_setup_left() {
  local entry name
  for entry in "$workdir/$1"* "$workdir/$1".[!.]*; do
    name="$1\${entry##*/}"
    case "$name" in *__pycache__ | .git | .autoresearch) continue ;; esac
    if [ ! -e "$entry" ]; then continue
    elif [ -d "$name" ] && [ ! -L "$name" ]; then link_what_setup_left "$name/"
    elif [ ! -e "$name" ] && [[ $'\\n'"$known"$'\\n' != *$'\\n'"$name"$'\\n'* ]]; then ln -s "$entry" "$name"
    fi
  done
}
link_what_setup_left ""
hash="$(base64 -d <<'END' | gunzip | xargs -0 $sha256 | $sha256
${wrapped(gzipSync(snapshot.files.map(({ path }) => `${path}\0`).join('')).toString('base64'))}
END
)"
echo "AUTORESEARCH_SNAPSHOT ${nonce} \${hash%% *}"
[ "\${hash%% *}" = ${snapshot.hash} ] || exit ${WRONG_CODE_EXIT}
base64 -d > "$dir.run.sh" <<'END'
${wrapped(Buffer.from(run).toString('base64'))}
END
exec bash "$dir.run.sh"
`;
}

function keepBase({ mark, base }: Place): string {
  const list = gzipSync(base.files.map(({ path }) => `${path}\n`).join('')).toString('base64');
  return `root="\${AUTORESEARCH_ROOT:-$HOME/autoresearch}/${mark}"
sha256=sha256sum; command -v sha256sum > /dev/null || sha256="shasum -a 256"
if [ ! -d "$root/bases/${base.hash}" ]; then
  kept="$root/bases/${base.hash}.$$"
  mkdir -p "$kept" && base64 -d <<'END' | gunzip > "$root/bases/${base.hash}.list"
${wrapped(list)}
END
  tar -cf - -T "$root/bases/${base.hash}.list" | tar -xf - -C "$kept" && mv "$kept" "$root/bases/${base.hash}"
fi`;
}

/** Lines that every shell and ssh on the way takes. */
const wrapped = (base64: string): string => base64.replace(/.{1,160}/g, '$&\n').trimEnd();

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
