import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { addFindings } from '../../src/domain/finding.js';
import { openStore, type Store } from '../../src/store/store.js';
import { temporaryProject } from '../support/test-lab.js';

const note = (store: Store, text: string) =>
  store.updateFindings((file) => {
    const draft = {
      subject: null,
      claim: null,
      text,
      interval: null,
      n: null,
      experimentIds: [],
      kind: 'note',
      by: 'agent',
    } as const;
    addFindings(file, [{ ...draft, experimentIds: [], refutes: null }], { campaign: 'night', at: 1_000 });
  });

it('loses none of two servers’ findings, and both stand in the notebook', async () => {
  const directory = join(temporaryProject(), '.autoresearch');
  const [one, two] = [openStore(directory, () => 1), openStore(directory, () => 2)];
  await Promise.all([0, 1, 2, 3, 4, 5].map((n) => note(n % 2 === 0 ? one : two, `note ${n}`)));
  const texts = (await openStore(directory, () => 3).findings()).map(({ text }) => text);
  expect(texts.sort()).toEqual(['note 0', 'note 1', 'note 2', 'note 3', 'note 4', 'note 5']);
  const notebook = readFileSync(join(directory, 'findings.md'), 'utf8');
  for (const text of texts) expect(notebook).toContain(`: ${text} (`);
});

it('rebuilds a damaged file from its journal, keeps it aside and says so', async () => {
  const directory = join(temporaryProject(), '.autoresearch');
  await note(
    openStore(directory, () => 1),
    'first',
  );
  writeFileSync(join(directory, 'findings.json'), '{"version":1,');
  const store = openStore(directory, () => 2);
  expect(await store.findings()).toMatchObject([{ id: 'finding-001', text: 'first' }]);
  await note(store, 'second');
  expect((await openStore(directory, () => 3).findings()).map(({ id }) => id)).toEqual(['finding-001', 'finding-002']);
  expect(store.keptAside()).toEqual(['findings.json.damaged-2']);
});

it('has none before the first, and makes no file for a reader', async () => {
  const directory = join(temporaryProject(), '.autoresearch');
  expect(await openStore(directory, () => 1).findings()).toEqual([]);
});
