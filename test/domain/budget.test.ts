import { expect, it } from 'vitest';
import { assertWithinBudget } from '../../src/domain/budget.js';

const known = (usd: number) => ({ usd, machines: 1, unpriced: 0 });
const bill = (spent: number, committed: number, added: number) => ({
  spent: known(spent),
  committed: known(committed),
  added: known(added),
});

it('lets a wave pass that leads just to the limit, or where there is none', () => {
  assertWithinBudget(bill(12.5, 5, 2.5), 20);
  assertWithinBudget(bill(12.5, 5, 2000), null);
});

it('refuses a wave that leads past it with the sums, and says what to do', () => {
  expect(() => assertWithinBudget(bill(12.5, 5, 2.51), 20)).toThrow(
    'limits.max_cost_usd is $20.00: $12.50 spent, $5.00 committed by what runs and waits, and this would add $2.51, together $20.01 (idle minutes included). Nothing was launched.',
  );
  expect(() => assertWithinBudget(bill(12.5, 5, 2.51), 20)).toThrow(
    expect.objectContaining({ code: 'over_budget', hint: expect.stringContaining('fewer experiments') }),
  );
  expect(() => assertWithinBudget(bill(19, 2, 1), 20)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('Write the report') }),
  );
});

it('refuses what it cannot add up, and says how many prices are missing', () => {
  const unknown = { ...bill(1, 1, 1), added: { usd: 2, machines: 5, unpriced: 2 } };
  expect(() => assertWithinBudget(unknown, 20)).toThrow(
    expect.objectContaining({
      code: 'over_budget',
      message: '2 of 5 clusters have no price, so limits.max_cost_usd ($20.00) cannot be kept.',
      hint: expect.stringContaining('prices: {H100: 2.0}'),
    }),
  );
  assertWithinBudget(unknown, null);
});
