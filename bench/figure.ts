/** One measured number, and what it was promised to be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: { readonly most?: number; readonly least?: number };
}

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};

export const isWithin = ({ value, limit }: Figure): boolean =>
  value <= (limit?.most ?? Number.POSITIVE_INFINITY) && value >= (limit?.least ?? Number.NEGATIVE_INFINITY);

export function printFigures(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`);
  for (const figure of figures) {
    const { most, least } = figure.limit ?? {};
    const promise = most !== undefined ? ` (at most ${most})` : least !== undefined ? ` (at least ${least})` : '';
    const mark = figure.limit === undefined ? ' ' : isWithin(figure) ? '✓' : '✗';
    console.log(`  ${mark} ${figure.name}: ${Number(figure.value.toPrecision(4))} ${figure.unit}${promise}`);
  }
}
