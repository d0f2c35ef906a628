import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planDesign } from '../../../src/domain/design/expand-design.js';
import { plackettBurmanRows } from '../../../src/domain/design/plackett-burman.js';
import { readFixture } from '../../support/design-fixture.js';

const { rows: oracle } = readFixture('plackett-burman', z.object({ rows: z.array(z.array(z.number())) }));
const factors = (count: number) =>
  Object.fromEntries([...'ABCDEFGHJKLM'].slice(0, count).map((name) => [name, [0, 1]]));

/** All columns with their signs turned so that the first row of `by` is all +1: two designs that differ in signs are one. */
const unsigned = (rows: readonly (readonly number[])[], by: number) =>
  rows.map((row) => row.map((value, column) => value * (rows[by]?.[column] ?? 1)));

/** The columns as sets of rows, in no order. */
const columnsAsText = (rows: readonly (readonly number[])[], order: readonly number[]) =>
  (rows[0] ?? []).map((_, column) => order.map((row) => rows[row]?.[column]).join()).sort();

describe('a Plackett–Burman design', () => {
  it('is pyDOE3’s up to the order of rows and columns and the signs of columns', () => {
    // Both are cyclic with one constant row, so that turning the rows of one round until it fits is search enough.
    const ours = unsigned(plackettBurmanRows(), 11);
    const constant = oracle.findIndex((row, index) =>
      oracle.every((other, at) => at === index || row.filter((value, c) => value === other[c]).length === 5),
    );
    expect(constant).toBeGreaterThanOrEqual(0);
    const theirs = oracle.map((_, turn) => unsigned(oracle, turn));
    const cycle = Array.from({ length: 11 }, (_, index) => index);
    const wanted = columnsAsText(ours, [...cycle, 11]);
    const found = theirs.some((rows, last) => {
      const others = rows.map((_, index) => index).filter((index) => index !== last);
      return [others, [...others].reverse()].some((order) =>
        order.some((_, by) => {
          const turned = [...order.slice(by), ...order.slice(0, by), last];
          return columnsAsText(rows, turned).join() === wanted.join();
        }),
      );
    });
    expect(found).toBe(true);
  });

  it('has balanced and orthogonal columns', () => {
    const rows = plackettBurmanRows();
    for (let a = 0; a < 11; a++) {
      expect(rows.reduce((sum, row) => sum + (row[a] ?? 0), 0)).toBe(0);
      for (let b = 0; b < a; b++) expect(rows.reduce((sum, row) => sum + (row[a] ?? 0) * (row[b] ?? 0), 0)).toBe(0);
    }
  });

  it('carries a third of each interaction of two others in every main effect, as it says', () => {
    const rows = plackettBurmanRows();
    for (let a = 0; a < 11; a++)
      for (let b = 0; b < a; b++)
        for (let c = 0; c < b; c++) {
          const inner = rows.reduce((sum, row) => sum + (row[a] ?? 0) * (row[b] ?? 0) * (row[c] ?? 0), 0);
          expect(Math.abs(inner / 12)).toBeCloseTo(1 / 3, 12);
        }
    const design = planDesign({ kind: 'plackett_burman', factors: factors(5) });
    expect(design.points).toHaveLength(12);
    expect(design.aliases[0]).toBe('A ± ⅓ of each of the 6 two-factor interactions without A');
    expect(planDesign({ kind: 'plackett_burman', factors: factors(3) }).aliases).toEqual([
      'A ± ⅓ B×C',
      'B ± ⅓ A×C',
      'C ± ⅓ A×B',
    ]);
  });

  it('refuses twelve factors, other sizes and three levels', () => {
    expect(() => planDesign({ kind: 'plackett_burman', factors: factors(12) })).toThrow('takes 2 to 11 factors');
    expect(() => planDesign({ kind: 'plackett_burman', factors: factors(5), size: 20 })).toThrow(
      'asked for were 20 runs',
    );
    expect(() => planDesign({ kind: 'plackett_burman', factors: { A: [1, 2, 3], B: [1, 2] } })).toThrow(
      'A has 3 levels',
    );
  });
});
