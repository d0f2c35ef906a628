// Records a live SkyPilot API server's answers for the adapter's tests: node test/adapters/skypilot/record.mjs slurm/CLUSTER H200:1
// It needs SKYPILOT_API_SERVER_ENDPOINT, launches one cluster (contract-recording), asks for machines that there are none
// of, and takes its cluster down. What is written has no keys, no handles and no user in it.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [infra = 'slurm/fakehpc', accelerators = 'H200:1'] = process.argv.slice(2);
const url = process.env['SKYPILOT_API_SERVER_ENDPOINT'];
if (!url) throw new Error('Set SKYPILOT_API_SERVER_ENDPOINT to the server whose answers are to be recorded.');

const CLUSTER = 'contract-recording';
const folder = fileURLToPath(new URL('../../fixtures/sky/', import.meta.url));
const FINAL = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

const keep = (name, value) => writeFile(join(folder, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);

const send = (path, body) =>
  fetch(`${url}${path}`, {
    headers: { 'content-type': 'application/json', 'X-SkyPilot-API-Version': '62' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });

async function start(path, body) {
  const response = await send(path, body);
  return { status: response.status, body: await response.json(), id: response.headers.get('X-Skypilot-Request-ID') };
}

/** Pickles, keys and people: none of it is an answer that the adapter reads. */
function scrub(value) {
  if (Array.isArray(value)) return value.map(scrub);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(
    ([key]) =>
      !/handle|credentials|pickle|entrypoint|request_body|object|key|storage_mounts|last_use|last_creation|hash$/.test(
        key,
      ),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, scrubbed(key, inner)]));
}

function scrubbed(key, value) {
  if (value === null) return null;
  if (key === 'user_id') return '00000000';
  if (/^user_?name$/.test(key)) return 'researcher';
  // The user's hash ends it.
  if (key === 'cluster_name_on_cloud') return value.replace(/[^-]+$/, '00000000');
  if (key === 'pid') return 1;
  if ((key === 'return_value' || key === 'error') && typeof value === 'string')
    return JSON.stringify(scrub(JSON.parse(value)));
  return scrub(value);
}

async function finish(id) {
  const response = await send(`/api/get?request_id=${id}`);
  return { status: response.status, body: scrub(await response.json()) };
}

/** Starts a request, waits for it, and keeps both answers. */
async function record(name, path, body) {
  const started = await start(path, body);
  const finished = started.id === null ? null : await finish(started.id);
  await keep(name, { path, started, finished });
  console.log(name, started.status, finished?.status ?? '');
  return JSON.parse(finished?.body.return_value ?? 'null');
}

async function recordText(name, path, body) {
  await keep(name, { path, status: 200, text: await (await send(path, body)).text() });
  console.log(name);
}

const task = (text) => ({ cluster_name: CLUSTER, task: text });
const execute = (name, run) => task(JSON.stringify({ name, resources: { accelerators }, run }));
const launch = (cluster_name, wanted) => ({
  ...task(JSON.stringify({ name: 'autoresearch-setup', resources: { accelerators: wanted, infra }, setup: 'sleep 2' })),
  cluster_name,
  idle_minutes_to_autostop: 10,
  down: true,
});
const look = { cluster_names: [CLUSTER], refresh: 'NONE', include_credentials: false, include_handle: false };

async function recordAll() {
  await keep('health', { status: 200, body: scrub(await (await send('/api/health')).json()) });
  await record('availability', '/slurm_gpu_availability', { slurm_cluster_name: infra.split('/')[1] ?? null });
  await record('resources-unavailable', '/launch', launch('contract-nowhere', ['A100:1']));
  await record('status-none', '/status', look);
  await record('queue-gone', '/queue', { cluster_name: 'contract-nobody', skip_finished: false });

  const launched = await start('/launch', launch(CLUSTER, [accelerators]));
  await keep('launch-started', { path: '/launch', started: launched });
  for (;;) {
    const [cluster] = await record('status-init', '/status', look);
    if (cluster?.init_status_reason) break;
    await sleep(200);
  }
  const under = await send(`/api/status?request_ids=${launched.id}`);
  await keep('request-running', { status: under.status, body: scrub(await under.json()) });
  await keep('launch-finished', await finish(launched.id));
  await record('status-up', '/status', look);
  await record('mismatch', '/exec', { ...task('resources: {accelerators: H100:1}\nrun: "true"\n') });

  const good = await record('exec', '/exec', execute('good', 'echo step 1; echo to stderr >&2; echo val_bpb: 0.99'));
  const bad = await record('exec-bad', '/exec', execute('bad', 'echo before it fails; exit 3'));
  await record('exec-slow', '/exec', execute('slow', 'echo slow; sleep 300'));
  const waiting = await record('exec-waiting', '/exec', execute('waiting', 'echo never'));
  for (;;) {
    const jobs = await record('queue', '/queue', { cluster_name: CLUSTER, skip_finished: false });
    if (jobs.some(({ job_name, status }) => job_name === 'slow' && status === 'RUNNING')) break;
    await sleep(1000);
  }
  const slow = waiting.job_id - 1;
  await recordText('log-good', '/logs', { cluster_name: CLUSTER, job_id: good.job_id, follow: false, tail: 0 });
  await recordText('log-bad', '/logs', { cluster_name: CLUSTER, job_id: bad.job_id, follow: false, tail: 0 });
  await recordText('log-none', '/logs', { cluster_name: CLUSTER, job_id: 999, follow: false, tail: 0 });
  await record('cancel', '/cancel', { cluster_name: CLUSTER, job_ids: [slow] });
  for (;;) {
    const jobs = await record('queue-ended', '/queue', { cluster_name: CLUSTER, skip_finished: false });
    if (jobs.every(({ status }) => FINAL.includes(status))) break;
    await sleep(1000);
  }
  await record('status-force', '/status', { ...look, refresh: 'FORCE' });
}

await mkdir(folder, { recursive: true });
try {
  await recordAll();
} finally {
  await record('down', '/down', { cluster_name: CLUSTER });
  await record('down-gone', '/down', { cluster_name: CLUSTER });
  await record('down-nowhere', '/down', { cluster_name: 'contract-nowhere' });
}
