import { dollars } from '../../domain/cost.js';

/** Stands for what is not there: never 0, which would read as a value. */
export const NONE = '–';

/** Six digits behind the point, as train.py prints. */
export const metricValue = (value: number | null): string => (value === null ? NONE : value.toFixed(6));

/** With a sign that is as wide as a digit. */
export const difference = (value: number | null): string =>
  value === null ? NONE : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(6)}`;

export function duration(seconds: number | null): string {
  if (seconds === null) return NONE;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${minutes.toFixed(minutes < 10 ? 1 : 0)} min` : `${(minutes / 60).toFixed(1)} h`;
}

export const percent = (share: number | null): string => (share === null ? NONE : `${Math.round(share * 100)} %`);

export const money = (usd: number | null): string => (usd === null ? NONE : dollars(usd));

export const dollarsPerHour = (price: number | null): string => (price === null ? NONE : `${dollars(price)}/h`);

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
