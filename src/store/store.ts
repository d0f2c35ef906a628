import { accessSync, constants, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CampaignFile } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Finding, FindingsFile } from '../domain/finding.js';
import { type ExperimentId, experimentId, ordinal, WaveId, waveId } from '../domain/ids.js';
import { notebook } from '../domain/notebook.js';
import { WaveFile } from '../domain/wave.js';
import { Document } from './document.js';
import { createLease, createLock, type Lease } from './lock.js';

export type ExperimentText = 'log.txt' | 'diff.patch';

export interface NewIds {
  readonly wave: WaveId;
  /** The next one that no campaign of the project has used. */
  experiment(): ExperimentId;
}

/** `.autoresearch/` of one project: a file a campaign, a file a wave. What is returned is shared: read it, never change it. */
export interface Store {
  readonly directory: string;
  readonly lease: Lease;
  /** The campaign of that name; null before its first write. */
  campaign(name: string): Promise<CampaignFile | null>;
  updateCampaign(
    name: string,
    create: () => CampaignFile,
    change: (campaign: CampaignFile) => void,
  ): Promise<CampaignFile>;
  /** One planner at a time, over all processes: what it reads stays true until it has stored what follows from it. */
  whilePlanning<T>(work: () => Promise<T>): Promise<T>;
  /** One decision at a time, over all processes: it changes the project's files. */
  whileDeciding<T>(work: () => Promise<T>): Promise<T>;
  /** All waves of all campaigns, the oldest first. */
  waves(): Promise<WaveFile[]>;
  /** Stores a new wave under ids that nobody else gets, or nothing when `build` throws or answers null. */
  createWave(build: (ids: NewIds) => WaveFile | null): Promise<WaveFile | null>;
  updateWave(id: WaveId, change: (wave: WaveFile) => void): Promise<WaveFile>;
  /** What a person may want to read of one experiment: `log.txt`, `diff.patch`; null when it was never kept. */
  keepText(id: ExperimentId, name: ExperimentText, text: string): Promise<void>;
  readText(id: ExperimentId, name: ExperimentText): Promise<string | null>;
  /** What all campaigns have shown, the oldest first. */
  findings(): Promise<Finding[]>;
  /** Also writes `findings.md` anew. */
  updateFindings(change: (file: FindingsFile) => void): Promise<void>;
  /** Damaged files that were kept aside, by name. */
  keptAside(): string[];
}

export function openStore(directory: string, now: () => number): Store {
  const campaignsDir = join(directory, 'campaigns');
  const wavesDir = join(directory, 'waves');
  const lock = createLock(directory, 'store');
  const planning = createLock(directory, 'planning');
  const deciding = createLock(directory, 'deciding');
  const campaigns = new Map<string, Document<CampaignFile>>();
  const waves = new Map<string, Document<WaveFile>>();
  const findings = new Document(join(directory, 'findings.json'), FindingsFile, now);
  const ordered = (file: FindingsFile | null): Finding[] =>
    Object.values(file?.findings ?? {}).sort((a, b) => ordinal(a.id) - ordinal(b.id));

  const campaignDocument = (name: string) =>
    remembered(campaigns, name, () => new Document(join(campaignsDir, `${name}.json`), CampaignFile, now));
  const waveDocument = (id: string) =>
    remembered(waves, id, () => new Document(join(wavesDir, `${id}.json`), WaveFile, now));
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    makeWritable(directory, [campaignsDir, wavesDir]);
    return lock(work);
  };
  const waveIds = (): WaveId[] => {
    const names = namesIn(wavesDir).map((name) => name.replace(/\.journal\.jsonl$|\.json$/, ''));
    return [...new Set(names.flatMap((name) => WaveId.safeParse(name).data ?? []))].sort(
      (a, b) => ordinal(a) - ordinal(b),
    );
  };

  const readWaves = async (): Promise<WaveFile[]> => {
    const files = await Promise.all(waveIds().map((id) => waveDocument(id).read()));
    return files.filter((file) => file !== null);
  };

  return {
    directory,
    lease: createLease(directory),
    campaign: (name) => campaignDocument(name).read(),
    updateCampaign: (name, create, change) => locked(() => campaignDocument(name).update(create, change)),
    whilePlanning(work) {
      makeWritable(directory, [campaignsDir, wavesDir]);
      return planning(work);
    },
    whileDeciding(work) {
      makeWritable(directory, [campaignsDir, wavesDir]);
      return deciding(work);
    },
    waves: readWaves,
    createWave: (build) =>
      locked(async () => {
        const existing = await readWaves();
        const used = existing.flatMap((file) => Object.values(file.experiments).map(({ id }) => ordinal(id)));
        let experiments = used.reduce((most, n) => Math.max(most, n), 0);
        const wave = waveId(Math.max(0, ...waveIds().map(ordinal)) + 1);
        const file = build({ wave, experiment: () => experimentId(++experiments) });
        return (
          file &&
          (await waveDocument(wave).update(
            () => file,
            () => undefined,
          ))
        );
      }),
    updateWave: (id, change) =>
      locked(() =>
        waveDocument(id).update(() => {
          throw new AutoresearchError('not_found', `There is no wave ${id}.`, 'Call campaign_status for the waves.');
        }, change),
      ),
    async keepText(id, name, text) {
      const folder = join(directory, 'experiments', id);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), text);
    },
    readText: (id, name) => readFile(join(directory, 'experiments', id, name), 'utf8').catch(() => null),
    findings: async () => ordered(await findings.read()),
    updateFindings: (change) =>
      locked(async () => {
        const file = await findings.update(() => ({ findings: {} }), change);
        const path = join(directory, 'findings.md');
        await writeFile(`${path}.new`, notebook(ordered(file)));
        await rename(`${path}.new`, path);
      }),
    keptAside: () => [directory, campaignsDir, wavesDir].flatMap(namesIn).filter((name) => name.includes('.damaged-')),
  };
}

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not made yet: an empty store
  }
}

function makeWritable(directory: string, folders: readonly string[]): void {
  try {
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    accessSync(directory, constants.W_OK);
    const gitignore = join(directory, '.gitignore');
    if (!existsSync(gitignore)) writeFileSync(gitignore, '*\n');
  } catch (error) {
    throw new AutoresearchError(
      'invalid_project',
      `The state cannot be written to ${directory}: ${error instanceof Error ? error.message : String(error)}`,
      'Make the project folder writable, or point --project (AUTORESEARCH_PROJECT) at a copy that is.',
      { cause: error },
    );
  }
}
