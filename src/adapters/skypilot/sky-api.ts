import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import type { Endpoint } from './endpoint.js';
import type { Identity } from './identity.js';
import { BlobExists, FailedRequest, Health, RequestError, RequestRecord, RequestStatuses } from './schemas.js';
import type { WorkdirZip } from './workdir-zip.js';

/** The version whose answers the schemas describe; a newer server answers an older client in its words. */
const OUR_API_VERSION = 62;
/** Older servers (before 0.11) know neither the version header nor these requests. */
const OLDEST_API_VERSION = 24;

/** What SkyPilot's own code threw, by the name of its exception. */
export class SkyError extends Error {
  override readonly name = 'SkyError';

  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

export const isSkyError = (error: unknown, ...types: readonly string[]): error is SkyError =>
  error instanceof SkyError && types.includes(error.type);

/** Some messages hold a whole traceback: who wants it finds it with `sky api logs`. */
const LONGEST_MESSAGE = 300;

function inShort(message: string): string {
  const plain = stripVTControlCharacters(message).replace(/\s+/g, ' ').trim();
  return plain.length > LONGEST_MESSAGE ? `${plain.slice(0, LONGEST_MESSAGE - 1)}…` : plain;
}

/** A server that was started again knows nothing of the requests before. */
export const isForgotten = (error: unknown): boolean => isSkyError(error, UNKNOWN_REQUEST);
const UNKNOWN_REQUEST = 'HTTP 404';

/** The only place that knows HTTP. Everything SkyPilot does is a request that runs on its server: start it, then wait for it. */
export interface SkyApi {
  /** Starts a request and answers its id. */
  start(path: string, body: object): Promise<string>;
  /** Its return value. @throws SkyError with what it failed with */
  wait<T>(requestId: string, schema: z.ZodType<T>): Promise<T>;
  call<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T>;
  /** The same for what SkyPilot lets be asked for with GET. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED; null when the server does not know it. */
  statusOf(requestId: string): Promise<string | null>;
  cancelRequest(requestId: string): Promise<void>;
  /** Whether the server reads the disk of this machine. */
  isLocal(): Promise<boolean>;
  /** Sends a folder that the server has not got yet. */
  upload(zip: WorkdirZip): Promise<void>;
  /** The text of a request that answers with a stream, piece by piece. */
  stream(path: string, body: object): AsyncIterable<string>;
}

/** @param findEndpoint asked at the first call, so that a project on SkyPilot can be opened while no server runs */
export function createSkyApi(findEndpoint: () => Promise<Endpoint>, findIdentity: () => Promise<Identity>): SkyApi {
  let endpoint: Promise<Endpoint> | null = null;
  let identity: Promise<Identity> | null = null;
  let greeted: Promise<void> | null = null;

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    endpoint ??= findEndpoint();
    const { url, token, login } = await endpoint;
    const headers = {
      'content-type': 'application/json',
      'X-SkyPilot-API-Version': String(OUR_API_VERSION),
      ...(login === null ? {} : { Authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    };
    const response = await fetch(`${url}${path}`, { ...init, headers: { ...headers, ...init.headers } }).catch(
      (error: unknown) => {
        throw new AutoresearchError(
          'backend_down',
          `SkyPilot's API server at ${url} does not answer.`,
          'Start one with `sky api start`, or set SKYPILOT_API_SERVER_ENDPOINT; jobs that run go on without it.',
          { cause: error },
        );
      },
    );
    if (response.status === 401 || response.status === 403) {
      throw new AutoresearchError(
        'backend_failed',
        `SkyPilot's API server at ${url} refuses the access (HTTP ${response.status}).`,
        'Log in with a service account: `sky api login --token …`, or set SKYPILOT_SERVICE_ACCOUNT_TOKEN.',
      );
    }
    return response;
  }

  async function greet(): Promise<void> {
    const health = Health.safeParse(await (await send('/api/health')).json());
    if (health.success && health.data.api_version >= OLDEST_API_VERSION) return;
    throw new AutoresearchError(
      'backend_failed',
      `SkyPilot 0.11 or newer is needed; its API server says ${health.success ? health.data.version : 'no version'}.`,
      'Upgrade it: pip install -U skypilot, then `sky api stop` and `sky api start`.',
    );
  }

  const afterGreeting = async (path: string, init: RequestInit): Promise<Response> => {
    greeted ??= greet().catch((error: unknown) => {
      greeted = null; // it may come up later
      throw error;
    });
    await greeted;
    return await orThrow(path, await send(path, init));
  };

  const post = async (path: string, body: object): Promise<Response> => {
    identity ??= findIdentity();
    return await afterGreeting(path, { method: 'POST', body: JSON.stringify({ ...body, env_vars: await identity }) });
  };

  const orThrow = async (path: string, response: Response): Promise<Response> => {
    if (response.ok) return response;
    throw new SkyError(`HTTP ${response.status}`, `${path}: ${(await response.text()).slice(0, 500)}`);
  };

  const requestId = (path: string, { headers }: Response): string => {
    const id = headers.get('X-Skypilot-Request-ID');
    if (id) return id;
    throw new SkyError('NoRequestId', `${path} answered without a request id.`);
  };
  const start = async (path: string, body: object): Promise<string> => requestId(path, await post(path, body));

  const wait = async <T>(requestId: string, schema: z.ZodType<T>): Promise<T> => {
    const response = await send(`/api/get?request_id=${encodeURIComponent(requestId)}`);
    const body: unknown = await response.json();
    const record = response.ok ? RequestRecord.parse(body) : FailedRequest.safeParse(body).data?.detail;
    if (!record)
      throw new SkyError(`HTTP ${response.status}`, `Request ${requestId}: ${JSON.stringify(body).slice(0, 300)}`);
    const error = RequestError.safeParse(JSON.parse(record.error ?? 'null')).data;
    if (error) throw new SkyError(error.type, inShort(error.message ?? ''));
    if (record.status !== 'SUCCEEDED') throw new SkyError(record.status, `Request ${requestId} is ${record.status}.`);
    return schema.parse(JSON.parse(record.return_value ?? 'null'));
  };

  return {
    start,
    wait,
    call: async (path, body, schema) => wait(await start(path, body), schema),
    get: async (path, schema) => wait(requestId(path, await afterGreeting(path, {})), schema),
    async statusOf(requestId) {
      const response = await send(`/api/status?request_ids=${encodeURIComponent(requestId)}`);
      const statuses = RequestStatuses.safeParse(await response.json()).data ?? [];
      return statuses.find(({ request_id }) => request_id === requestId)?.status ?? null;
    },
    async cancelRequest(requestId) {
      await wait(await start('/api/cancel', { request_ids: [requestId] }), z.unknown()).catch((error: unknown) => {
        if (!(error instanceof SkyError)) throw error; // it had ended
      });
    },
    async isLocal() {
      endpoint ??= findEndpoint();
      return (await endpoint).isLocal;
    },
    async upload({ blobId, bytes }) {
      identity ??= findIdentity();
      const user_hash = (await identity).SKYPILOT_USER_ID;
      const asked = `/upload_v2/blob?${new URLSearchParams({ user_hash, blob_id: blobId })}`;
      const { exists } = BlobExists.parse(await (await orThrow(asked, await send(asked))).json());
      if (exists) return;
      // One piece: SkyPilot's limit is 95 MB, and a snapshot has at most 20.
      const path = `/upload_v2?${new URLSearchParams({ user_hash, upload_id: blobId, chunk_index: '0', total_chunks: '1' })}`;
      const headers = { 'content-type': 'application/octet-stream' };
      await orThrow(path, await send(path, { method: 'POST', body: bytes, headers }));
    },
    async *stream(path, body) {
      const { body: bytes } = await post(path, body);
      const decoder = new TextDecoder();
      for await (const piece of bytes ?? []) yield decoder.decode(piece, { stream: true });
    },
  };
}
