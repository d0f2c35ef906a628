import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createLocalBackend } from '../../../src/adapters/local/local-backend.js';
import { keepsClusterBackendContract } from '../../ports/cluster-backend.contract.js';

// Real processes: what is promised is what becomes of them.
describe('local backend', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'local-backend-'));
  });
  afterAll(async () => await rm(directory, { recursive: true, force: true }));

  keepsClusterBackendContract({ create: async () => createLocalBackend({ directory, slots: 2 }) });
});
