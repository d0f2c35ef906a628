import { dollars, isOver, type Total, unpricedWords } from './cost.js';
import { AutoresearchError } from './errors.js';

/** What a campaign will come to if a wave is launched and nothing after it. */
export interface Bill {
  readonly spent: Total;
  /** What runs and waits already, with the idle minutes after which its clusters end. */
  readonly committed: Total;
  /** The wave: its runs, and those idle minutes of each cluster that is launched for it. */
  readonly added: Total;
}

export const NAME_THE_PRICE = 'Give it in autoresearch.yaml, such as prices: {H100: 2.0}; 0 is free.';

/** @throws over_budget with the sums, or because a price is unknown: a limit that cannot be checked is not kept */
export function assertWithinBudget({ spent, committed, added }: Bill, mostUsd: number | null): void {
  if (mostUsd === null) return;
  const unknown = [spent, committed, added].flatMap((part) => unpricedWords(part) ?? [])[0];
  if (unknown !== undefined) {
    throw new AutoresearchError(
      'over_budget',
      `${unknown}, so limits.max_cost_usd (${dollars(mostUsd)}) cannot be kept.`,
      NAME_THE_PRICE,
    );
  }
  const [before, under, more] = [spent.usd ?? 0, committed.usd ?? 0, added.usd ?? 0];
  const sum = before + under + more;
  if (!isOver(sum, mostUsd)) return;
  throw new AutoresearchError(
    'over_budget',
    `limits.max_cost_usd is ${dollars(mostUsd)}: ${dollars(before)} spent, ${dollars(under)} committed by what runs and waits, and this would add ${dollars(more)}, together ${dollars(sum)} (idle minutes included). Nothing was launched.`,
    before + under < mostUsd
      ? 'Ask for fewer experiments or cheaper accelerators, or call teardown with idle_only first.'
      : 'Write the report and call teardown, or raise the limit in autoresearch.yaml.',
  );
}
