import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openMemory } from '../../../src/adapters/skypilot/memory.js';
import { createSkyApi } from '../../../src/adapters/skypilot/sky-api.js';
import { createSkypilotBackend } from '../../../src/adapters/skypilot/skypilot-backend.js';
import { ClusterName, type LaunchRequest, type Task } from '../../../src/ports/cluster-backend.js';

const Recording = z.looseObject({
  status: z.number().optional(),
  body: z.unknown().optional(),
  text: z.string().optional(),
  finished: z.looseObject({ status: z.number(), body: z.unknown() }).optional(),
});

/** Who asks, in every request. */
export const IDENTITY = { SKYPILOT_USER_ID: '0a1b2c3d', SKYPILOT_USER: 'researcher' };

export async function recording(name: string): Promise<z.infer<typeof Recording>> {
  const path = fileURLToPath(new URL(`../../fixtures/sky/${name}.json`, import.meta.url));
  return Recording.parse(JSON.parse(await readFile(path, 'utf8')));
}

interface Received {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage['headers'];
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A request's result as GET /api/get tells it. */
export const succeeded = (value: unknown): Answer => ({
  status: 200,
  body: { status: 'SUCCEEDED', return_value: JSON.stringify(value), error: 'null' },
});
export const failed = (type: string, message: string): Answer => ({
  status: 500,
  body: { detail: { status: 'FAILED', return_value: 'null', error: JSON.stringify({ type, message }) } },
});

/** An API server on loopback that answers each path with what was recorded, or with what a test gives it instead. */
export async function recordedSky() {
  const received: Received[] = [];
  const answers = new Map<string, (body: Record<string, unknown>) => Answer>();
  // Slurm's clusters have no price in a catalogue.
  answers.set('/list_accelerators', () => succeeded({}));
  const texts = new Map<string, string>();
  const results = new Map<string, Answer>();
  const uploads = new Map<string, { url: URL; bytes: Buffer }>();
  const statuses = new Map<string, string>();
  const pathOf = new Map<string, string>();
  const isDone = new Map<string, () => boolean>();
  let health: unknown = (await recording('health')).body;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost');
    const reply = (status: number, body: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const id = url.searchParams.get('request_id') ?? url.searchParams.get('request_ids') ?? '';
    const result = results.get(id);
    if (url.pathname === '/api/health') return void reply(200, health);
    while (url.pathname === '/api/get' && isDone.get(pathOf.get(id) ?? '')?.() === false) await sleep(5);
    if (url.pathname === '/api/get') return void reply(result?.status ?? 404, result?.body ?? null);
    if (url.pathname === '/api/status') {
      const status = statuses.get(id) ?? (result?.status === 200 ? 'SUCCEEDED' : 'FAILED');
      return void reply(200, result ? [{ request_id: id, status }] : []);
    }
    if (url.pathname === '/upload_v2/blob') {
      return void reply(200, { exists: uploads.has(url.searchParams.get('blob_id') ?? '') });
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    if (url.pathname === '/upload_v2') {
      uploads.set(url.searchParams.get('upload_id') ?? '', { url, bytes: Buffer.concat(pieces) });
      return void reply(200, { status: 'completed' });
    }
    const body = z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.concat(pieces).toString() || '{}'));
    received.push({ path: url.pathname, body, headers: request.headers });
    const text = texts.get(url.pathname);
    if (text !== undefined) return void response.end(text);
    const answer = answers.get(url.pathname);
    const requestId = randomUUID();
    pathOf.set(requestId, url.pathname);
    results.set(requestId, answer?.(body) ?? succeeded(null));
    reply(200, null, { 'X-Skypilot-Request-ID': requestId });
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;

  const answer = (path: string, value: Answer | ((body: Record<string, unknown>) => Answer)) =>
    answers.set(path, typeof value === 'function' ? value : () => value);
  return {
    received,
    answer,
    async recorded(path: string, name: string) {
      const { finished, text } = await recording(name);
      if (text !== undefined) texts.set(path, text);
      if (finished) answer(path, finished);
    },
    text: (path: string, text: string) => texts.set(path, text),
    uploads: () => [...uploads].map(([id, upload]) => ({ id, ...upload })),
    /** As a server that was started again. */
    forget: () => results.clear(),
    /** From now on each request that was started is told to be in this state. */
    state: (status: string) => [...results.keys()].forEach((id) => void statuses.set(id, status)),
    /** No request to this path ends before that. */
    hold: (path: string, until: () => boolean) => isDone.set(path, until),
    health: (value: unknown) => {
      health = value;
    },
    url,
    paths: () => received.map(({ path }) => path),
    bodies: (path: string) => received.filter((one) => one.path === path).map(({ body }) => body),
    api: (token: string | null = null, isLocal = true) =>
      createSkyApi(
        async () => ({ url, token, login: null, isLocal }),
        async () => IDENTITY,
      ),
  };
}

export type RecordedSky = Awaited<ReturnType<typeof recordedSky>>;

export async function memoryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skypilot-memory-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A second call with the same folder is a later process. */
export const backendOn = (
  sky: RecordedSky,
  folder: string,
  { isLocal = true, ...options }: { isLocal?: boolean; now?: () => number; strandedMs?: number } = {},
) =>
  createSkypilotBackend({
    api: sky.api(null, isLocal),
    memory: openMemory(folder),
    infra: 'slurm/fakehpc',
    ...options,
  });

export const CLUSTER = ClusterName.parse('contract-recording');

const base = mkdtempSync(join(tmpdir(), 'skypilot-base-'));
afterAll(() => rm(base, { recursive: true, force: true }));

export const request: LaunchRequest = {
  cluster: CLUSTER,
  accelerators: ['H200:1', 'H100:1'],
  infra: 'slurm/fakehpc',
  environment: {
    key: 'first',
    workdir: base,
    setup: 'pip install x',
    envs: { SHARED: 'yes' },
    resources: { cpus: 4 },
  },
  idleMinutes: 9.5,
};

export const task = (name: string, wanted: Partial<Task> = {}): Task => ({
  name,
  environmentKey: 'first',
  run: 'echo hello',
  envs: {},
  timeoutSeconds: 60,
  ...wanted,
});
