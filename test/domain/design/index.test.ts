import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DESIGN_NAMES } from '../../../src/domain/design/index.js';

it('lists every design that has a file', () => {
  const folder = new URL('../../../src/domain/design/', import.meta.url);
  const named = readdirSync(folder).flatMap(
    (file) => /DesignKind<'(\w+)'> = \{/.exec(readFileSync(new URL(file, folder), 'utf8'))?.[1] ?? [],
  );
  expect([...DESIGN_NAMES].sort()).toEqual(named.sort());
});
