import { execFile } from 'node:child_process';
import { availableParallelism, cpus, hostname } from 'node:os';
import { promisify } from 'node:util';
import { acceleratorName } from './accelerator-names.js';
import type { Slot } from './cluster-files.js';

export interface Gpu {
  readonly index: number;
  readonly uuid: string;
  readonly device: string;
  readonly memoryMib: number;
}

/** Groups of threads beyond this wait for each other's memory more than they compute. */
const MOST_CPU_SLOTS = 4;

/**
 * What clusters can be made of: a GPU each or, on a machine without, some threads each. A number of slots that was asked for
 * is kept to: several share a GPU where there are fewer.
 */
export async function slotsOfMachine(wanted: { slots: number | null; threads?: number | undefined }): Promise<Slot[]> {
  const gpus = visibleGpus(await listGpus(), process.env['CUDA_VISIBLE_DEVICES']);
  if (gpus.length > 0) return gpuSlots(gpus, wanted.slots ?? gpus.length);
  const cores = availableParallelism();
  const slots = wanted.slots ?? Math.min(cores, MOST_CPU_SLOTS);
  return cpuSlots(slots, wanted.threads ?? Math.max(1, Math.floor(cores / slots)));
}

export function gpuSlots(gpus: readonly Gpu[], count: number): Slot[] {
  const slots = Array.from({ length: Math.ceil(count / gpus.length) }, () => gpus).flat();
  return slots.slice(0, count).map(({ index: gpu, device, memoryMib }, index) => ({
    index,
    accelerators: `${acceleratorName(device, memoryMib)}:1`,
    hardware: `${hostname()} ${device}`,
    // CUDA counts the fastest device first unless told to count as nvidia-smi does.
    envs: { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(gpu) },
    gpus: 1,
  }));
}

export function cpuSlots(count: number, threads: number): Slot[] {
  const pools = ['OMP', 'MKL', 'OPENBLAS', 'NUMEXPR', 'VECLIB_MAXIMUM', 'RAYON'];
  return Array.from({ length: count }, (_, index) => ({
    index,
    accelerators: `CPU:${threads}`,
    hardware: `${hostname()} ${cpus()[0]?.model.trim() || process.arch}`,
    envs: Object.fromEntries(pools.map((pool) => [`${pool}_NUM_THREADS`, String(threads)])),
    gpus: 0,
  }));
}

/** A scheduler that gave us part of the machine says so in CUDA_VISIBLE_DEVICES, by index or by identity. */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): readonly Gpu[] {
  if (visible === undefined) return gpus;
  const entries = visible.split(',').map((entry) => entry.trim());
  return gpus.filter(({ index, uuid }) =>
    entries.some((entry) => entry === String(index) || (entry.startsWith('GPU-') && uuid.startsWith(entry))),
  );
}

/** `0, GPU-5b6…, NVIDIA H100 80GB HBM3, 81559 MiB` a line. */
export function parseGpus(csv: string): Gpu[] {
  return csv.split('\n').flatMap((line) => {
    const [index, uuid, device, memory] = line.split(',').map((field) => field.trim());
    if (!index || !uuid || !device || !memory || !/^\d+$/.test(index)) return [];
    return [{ index: Number(index), uuid, device, memoryMib: Number.parseFloat(memory) || 0 }];
  });
}

const QUERY = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader'];

/** No nvidia-smi, or one that finds no driver, means no GPU. */
async function listGpus(): Promise<Gpu[]> {
  try {
    return parseGpus((await promisify(execFile)('nvidia-smi', QUERY, { timeout: 30_000 })).stdout);
  } catch {
    return [];
  }
}
