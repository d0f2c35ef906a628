import { describe, expect, it } from 'vitest';
import { dearest, isOfKind, priceOf } from '../../src/domain/price.js';

describe('the price of a machine', () => {
  const prices = { H100: 2, 'H100:8': 15, h200: 2.3, CPU: 0 };

  it.each([
    ['what its backend said, whatever the project says', { accelerators: 'H100:1', pricePerHourUsd: 1.49 }, 1.49],
    ['0 where its backend says that it is free', { accelerators: 'H100:1', pricePerHourUsd: 0 }, 0],
    ['the project’s for one', { accelerators: 'H100:1', pricePerHourUsd: null }, 2],
    ['that for each, times their number', { accelerators: 'H100:4', pricePerHourUsd: null }, 8],
    ['that for half of one', { accelerators: 'H100:0.5', pricePerHourUsd: null }, 1],
    ['that for just so many, where there is one', { accelerators: 'H100:8', pricePerHourUsd: null }, 15],
    ['the same in upper and lower case', { accelerators: 'H200:2', pricePerHourUsd: null }, 4.6],
    ['0 where the project says that it is free', { accelerators: 'CPU:2', pricePerHourUsd: null }, 0],
    ['unknown, not 0, for a kind that is not named', { accelerators: 'A100:1', pricePerHourUsd: null }, null],
    ['unknown for a kind that begins alike', { accelerators: 'H100-SXM:1', pricePerHourUsd: null }, null],
    ['unknown while nobody knows what it is', { accelerators: null, pricePerHourUsd: null }, null],
  ])('is %s', (_, machine, price) => {
    expect(priceOf(machine, prices)).toBe(price);
  });

  it('is that of the dearest while it may become several, and unknown as soon as one is', () => {
    expect([dearest([2, 3.5, 2.3]), dearest([2, null, 3]), dearest([null, 2]), dearest([0]), dearest([])]).toEqual([
      3.5,
      null,
      null,
      0,
      null,
    ]);
  });
});

it('takes a name for any number of it, and a name with a number for just that', () => {
  expect(['H100', 'h100', 'H100:8', 'H100:1', 'H10', 'H1000'].map((key) => isOfKind('H100:8', key))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
