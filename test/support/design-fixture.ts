import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** A file of test/fixtures/designs, as the oracle wrote it. */
export const readFixture = <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> =>
  schema.parse(JSON.parse(readFileSync(new URL(`../fixtures/designs/${name}.json`, import.meta.url), 'utf8')));
