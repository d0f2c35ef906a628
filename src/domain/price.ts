import { z } from 'zod';

/** By `H100`, that accelerator in any number, or `H100:8`, a cluster with just so many. */
export const byAccelerator = (value: z.ZodNumber) =>
  z
    .record(z.string(), value)
    .refine(
      (record) => Object.keys(record).every((key) => /^[^\s:]+(:\d+(\.\d+)?)?$/.test(key)),
      'Expected accelerators such as H100, or H100:8',
    );

export type Prices = Readonly<Record<string, number>>;

/** A machine as far as its price goes. `accelerators` as `H100:8`; null: unknown, both. */
export interface Machine {
  readonly accelerators: string | null;
  readonly pricePerHourUsd: number | null;
}

/** Whether `accelerators` (`H100:8`) is what `key` (`H100`, `H100:8`) is about; upper and lower case are one. */
export function isOfKind(accelerators: string, key: string): boolean {
  const [name, wanted] = [accelerators, key].map((text) => text.toLowerCase());
  return name === wanted || name?.split(':')[0] === wanted;
}

/** USD per hour of the whole machine: what its backend said, else what the project's `prices` say; null: nobody knows. */
export function priceOf({ accelerators, pricePerHourUsd }: Machine, prices: Prices): number | null {
  return pricePerHourUsd ?? (accelerators === null ? null : listedPrice(accelerators, prices));
}

function listedPrice(accelerators: string, prices: Prices): number | null {
  const entries = Object.entries(prices).filter(([key]) => isOfKind(accelerators, key));
  const whole = entries.find(([key]) => key.includes(':'));
  if (whole) return whole[1];
  const [each] = entries;
  return each ? each[1] * Number(accelerators.split(':')[1] ?? 1) : null;
}

/** What a machine costs that may become any of several: the dearest; null as soon as one is unknown, or there is none. */
export function dearest(prices: readonly (number | null)[]): number | null {
  const known = prices.filter((price) => price !== null);
  return known.length === 0 || known.length < prices.length ? null : Math.max(...known);
}
