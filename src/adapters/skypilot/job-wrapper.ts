import { createHash } from 'node:crypto';
import type { Environment, Task } from '../../ports/cluster-backend.js';

/** What a job's log says at its end, in lines of its own: SkyPilot's queue tells neither. */
export const EXIT_LINE = 'AUTORESEARCH_EXIT';
export const TIMEOUT_LINE = 'AUTORESEARCH_TIMEOUT';
export const SETUP_FAILED_LINE = 'AUTORESEARCH_SETUP_FAILED';

/** In the working directory, which every cluster has to itself; a home may be shared. */
const FOLDER = '.autoresearch';

/** A key may be any text; a file's name may not. */
const place = (key: string, what: string): string =>
  `"$PWD/${FOLDER}/${createHash('sha256').update(key).digest('hex').slice(0, 16)}.${what}"`;

/**
 * Keeps the environment's variables for later jobs, runs setup, and leaves a file behind where it went well.
 * @param executables files of the base that lost that bit on their way
 */
export function setupScript({ key, setup, envs }: Environment, executables: readonly string[]): string {
  const chmod = executables.length === 0 ? '' : `chmod +x -- ${executables.map(quoted).join(' ')}\n`;
  return `${chmod}mkdir -p ${FOLDER}
rm -f ${place(key, 'ready')}
for name in ${Object.keys(envs).join(' ')}; do printf 'export %s=%q\\n' "$name" "\${!name}"; done > ${place(key, 'envs')}
cat > ${place(key, 'setup.sh')} <<'AUTORESEARCH_SETUP'
${setup ?? 'true'}
AUTORESEARCH_SETUP
bash ${place(key, 'setup.sh')} 2>&1 | tee ${place(key, 'log')}
code=\${PIPESTATUS[0]}
[ "$code" -eq 0 ] && touch ${place(key, 'ready')}
exit "$code"
`;
}

/**
 * Runs a task and leaves nothing of it: SkyPilot ends a job by its tree of processes, out of which setsid leads, so the
 * task's are known by a variable. A watcher outside the job ends them when the wrapper itself is ended (cancel, down); it
 * waits on a pipe that says nothing, for a sleep would be a process five times a second, for as long as the GPU trains.
 */
export function jobScript({ name, environmentKey: key, run, envs, timeoutSeconds }: Task): string {
  return `if [ ! -e ${place(key, 'ready')} ]; then
  tail -n 50 ${place(key, 'log')}
  echo ${SETUP_FAILED_LINE}
  echo ${EXIT_LINE} 96
  exit 96
fi
cat > "$PWD/${FOLDER}/${name}.sh" <<'AUTORESEARCH_RUN'
${run}
AUTORESEARCH_RUN
cat > "$PWD/${FOLDER}/${name}.wrapper.sh" <<'AUTORESEARCH_WRAPPER'
sweep() {
  local files file
  for _ in {1..100}; do
    files="$(grep -lsz "^AUTORESEARCH_JOB=$tag$" /proc/[0-9]*/environ 2> /dev/null)"
    [ -n "$files" ] || return 0
    for file in $files; do file="\${file%/environ}"; kill -KILL "\${file#/proc/}" 2> /dev/null; done
    sleep 0.05
  done
}
tag="${name}-$$-$RANDOM"
(
  trap '' TERM INT HUP
  exec < /dev/null > /dev/null 2>&1
  setsid bash -c "$(declare -f sweep)
trap '' TERM INT HUP
tag=$tag
exec {never}<> <(:)
while [ -d /proc/$$ ]; do read -t 0.2 -u \\$never; done
sweep" &
)
script="$1"
. "$2"
${Object.entries(envs)
  .map(([variable, value]) => `export ${variable}=${quoted(value)}`)
  .join('\n')}
SECONDS=0
AUTORESEARCH_JOB="$tag" timeout --kill-after=10 ${Math.ceil(timeoutSeconds)} bash "$script"
code=$?
past=$SECONDS
sweep
case "$code" in 124 | 137) [ "$past" -lt ${Math.ceil(timeoutSeconds)} ] || printf '\\n%s\\n' ${TIMEOUT_LINE} ;; esac
printf '\\n%s %s\\n' ${EXIT_LINE} "$code"
exit "$code"
AUTORESEARCH_WRAPPER
exec bash "$PWD/${FOLDER}/${name}.wrapper.sh" "$PWD/${FOLDER}/${name}.sh" ${place(key, 'envs')}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
