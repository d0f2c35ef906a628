import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findEndpoint } from '../../src/adapters/skypilot/endpoint.js';
import { findIdentity } from '../../src/adapters/skypilot/identity.js';
import { openMemory } from '../../src/adapters/skypilot/memory.js';
import { createSkyApi } from '../../src/adapters/skypilot/sky-api.js';
import { createSkypilotBackend } from '../../src/adapters/skypilot/skypilot-backend.js';
import { keepsClusterBackendContract } from '../ports/cluster-backend.contract.js';
import { SEEN_ON_THE_MACHINE } from '../ports/contract/ending.js';
import { isHarness } from './harness.js';

const { SKYPILOT_API_SERVER_ENDPOINT: endpoint, SKYPILOT_TEST_INFRA, SKYPILOT_TEST_ACCELERATORS } = process.env;
const infra = SKYPILOT_TEST_INFRA ?? 'slurm/fakehpc';
const accelerators = (SKYPILOT_TEST_ACCELERATORS ?? 'H100:1,H200:1').split(',');

/** A second of a local process is about a minute of SkyPilot's: its idle time is counted in whole minutes. */
const SCALE = 50;

// Clusters cost money, and a server found by itself could be anybody's: this one must be named.
if (endpoint === undefined) throw new Error('Set SKYPILOT_API_SERVER_ENDPOINT to the API server to test against.');

console.log(
  `On ${endpoint}: clusters contract-…, ${accelerators.join(' or ')} on ${infra}, at most six at a time, each taken down after its test.`,
);
const memory = mkdtempSync(join(tmpdir(), 'skypilot-live-'));
afterAll(() => rmSync(memory, { recursive: true, force: true }));

keepsClusterBackendContract({
  create: async () =>
    createSkypilotBackend({ api: createSkyApi(findEndpoint, findIdentity), memory: openMemory(memory), infra }),
  scale: SCALE,
  lookMs: 8_000,
  isConcurrent: true,
  retries: 1,
  request: { accelerators, infra },
  lacks: {
    'setup runs once a cluster and key, before the first job of that key':
      'its setup of a second passes between two looks at the queue, which take seconds each, so SETTING_UP is not seen; test/adapters/skypilot holds that it is told',
    ...(isHarness ? {} : Object.fromEntries(SEEN_ON_THE_MACHINE.map((title) => [title, 'its machines are elsewhere']))),
    'what there is no capacity for is rejected with the reason, and its neighbours are not':
      'SkyPilot lets a launch wait for a machine and says so while the cluster is INIT; it refuses at once only what no infra has',
    'the results of a cluster that ended by itself can still be read, until it is brought down':
      'logs and queue are on the cluster and end with it: capabilities.remembersJobs is false',
  },
});
