import { stringify } from 'yaml';
import type { LaunchRequest, Task } from '../../ports/cluster-backend.js';

/** The job in which SkyPilot runs setup; it is none of ours. */
export const SETUP_JOB = 'autoresearch-setup';

const failedMarker = (key: string): string => `.autoresearch-setup-${key}.failed`;
const setupLog = (key: string): string => `.autoresearch-setup-${key}.log`;

/** What a launch sends: machines, the base as workdir, and setup, whose failure later jobs can see and quote. */
export function launchYaml({ accelerators, infra, environment }: LaunchRequest): string {
  const { accelerators: _, infra: taskInfra, ...resources } = environment.resources;
  const chosenInfra = infra ?? taskInfra;
  const { key, setup } = environment;
  return stringify({
    name: SETUP_JOB,
    resources: {
      ...resources,
      ...(accelerators.length > 0 ? { accelerators: [...accelerators] } : {}),
      ...(chosenInfra === undefined || chosenInfra === null ? {} : { infra: chosenInfra }),
    },
    workdir: environment.workdir,
    envs: environment.envs,
    ...(setup === null
      ? {}
      : {
          setup: `rm -f ${failedMarker(key)}
cat > .autoresearch-setup.sh <<'AUTORESEARCH_SETUP'
${setup}
AUTORESEARCH_SETUP
bash .autoresearch-setup.sh 2>&1 | tee ${setupLog(key)}
code=\${PIPESTATUS[0]}
[ "$code" -eq 0 ] || touch ${failedMarker(key)}
exit "$code"
`,
        }),
  });
}

/** What exec sends. It asks for the cluster's accelerators, for without them SkyPilot runs jobs side by side and without a GPU. */
export function taskYaml(
  { name, environmentKey: key, run, envs, timeoutSeconds }: Task,
  accelerators: string | null,
): string {
  return stringify({
    name,
    ...(accelerators === null ? {} : { resources: { accelerators } }),
    envs,
    run: `if [ -e ${failedMarker(key)} ]; then
  tail -n 50 ${setupLog(key)}
  echo AUTORESEARCH_SETUP_FAILED
  exit 96
fi
cat > .autoresearch-${name}.sh <<'AUTORESEARCH_RUN'
${run}
AUTORESEARCH_RUN
timeout --kill-after=10 ${Math.ceil(timeoutSeconds)} bash .autoresearch-${name}.sh
code=$?
rm -f .autoresearch-${name}.sh
[ "$code" -ne 124 ] && [ "$code" -ne 137 ] || echo AUTORESEARCH_TIMEOUT
exit "$code"
`,
  });
}
