import { expect, it } from 'vitest';
import { addFindings, type FindingDraft, FindingsFile, NOT_SHOWN } from '../../src/domain/finding.js';
import { experimentId, findingId } from '../../src/domain/ids.js';
import { notebook } from '../../src/domain/notebook.js';

const draft = (about: Partial<FindingDraft> = {}): FindingDraft => ({
  subject: 'effect:MATRIX_LR',
  claim: 'higher is better',
  text: 'MATRIX_LR 0.05 is better than 0.03 by 0.0021',
  interval: null,
  n: 4,
  experimentIds: [1, 2, 3, 7].map(experimentId),
  kind: 'effect',
  by: 'server',
  refutes: null,
  ...about,
});

const night = { campaign: 'night', at: Date.UTC(2026, 2, 14) };
const empty = (): FindingsFile => ({ findings: {} });

it('renews a finding in place while its claim stands: more evidence refutes nothing', () => {
  const file = empty();
  addFindings(file, [draft()], night);
  const [renewed] = addFindings(file, [draft({ text: 'better by 0.0019', n: 8 })], { ...night, at: night.at + 5 });
  expect(renewed).toMatchObject({
    id: 'finding-001',
    n: 8,
    text: 'better by 0.0019',
    at: night.at + 5,
    supersedes: null,
  });
  expect(Object.keys(file.findings)).toEqual(['finding-001']);
});

it('changes nothing when the same is said again', () => {
  const file = empty();
  addFindings(file, [draft()], night);
  const before = structuredClone(file);
  addFindings(file, [draft()], { ...night, at: night.at + 5 });
  expect(file).toEqual(before);
});

it('lets another claim about the same subject supersede the first, and keeps both', () => {
  const file = empty();
  const found = addFindings(file, [draft(), draft({ claim: 'none', text: 'MATRIX_LR has no effect' })], night);
  expect(found.map(({ id, supersedes }) => [id, supersedes])).toEqual([
    ['finding-001', null],
    ['finding-002', 'finding-001'],
  ]);
  expect(file.findings[findingId(1)]?.supersededBy).toBe('finding-002');
  addFindings(file, [draft()], night);
  expect(file.findings[findingId(2)]?.supersededBy).toBe('finding-003');
  expect(file.findings[findingId(1)]?.supersededBy).toBe('finding-002');
  expect(FindingsFile.parse(file)).toEqual(file);
});

it('lets what saw less stand beside nothing: an effect that few runs could not show is not refuted by them', () => {
  const file = empty();
  const shown = draft({ claim: 'lowers', interval: [-0.003, -0.001] });
  const experimentIds = [8, 9].map(experimentId);
  const unseen = draft({
    claim: NOT_SHOWN,
    text: 'no effect could be shown',
    interval: [-0.004, 0.002],
    experimentIds,
  });
  addFindings(file, [shown], night);
  expect(addFindings(file, [unseen], night)).toMatchObject([{ id: 'finding-001', claim: 'lowers' }]);
  // As large as it was said to be it cannot be.
  const narrow = { ...unseen, interval: [-0.0005, 0.0005] as const };
  expect(addFindings(file, [narrow], night)).toMatchObject([{ id: 'finding-002', supersedes: 'finding-001' }]);
  expect(addFindings(file, [shown], night)).toMatchObject([{ id: 'finding-003', supersedes: 'finding-002' }]);
  // The same runs, with noise that is better known.
  const anew = { ...unseen, experimentIds: shown.experimentIds };
  expect(addFindings(file, [anew], night)).toMatchObject([{ id: 'finding-004', supersedes: 'finding-003' }]);
  const text = notebook(Object.values(file.findings));
  expect(text).toMatch(/finding-002: ~~no effect could be shown~~ .*Replaced by finding-003\./);
  expect(text).toMatch(/finding-001: ~~.*Replaced by finding-002\./);
});

it('refutes nothing of another campaign by itself, whose base was another, but what is named it does', () => {
  const file = empty();
  addFindings(file, [draft()], night);
  addFindings(file, [draft({ claim: 'none' })], { ...night, campaign: 'day' });
  expect(file.findings[findingId(1)]?.supersededBy).toBeNull();
  addFindings(file, [draft({ subject: null, claim: null, kind: 'note', refutes: findingId(1) })], {
    ...night,
    campaign: 'day',
  });
  expect(file.findings[findingId(1)]?.supersededBy).toBe('finding-003');
});

it('keeps two notes about nothing in particular side by side', () => {
  const file = empty();
  const note = draft({ subject: null, claim: null, kind: 'note', by: 'agent' });
  expect(addFindings(file, [note, { ...note, text: 'other' }], night)).toHaveLength(2);
});

it('reads like a notebook: what stands first, what was refuted struck through, nothing that an agent wrote as markup', () => {
  const file = empty();
  addFindings(file, [draft(), draft({ claim: 'none', text: 'MATRIX_LR has no effect', n: 8 })], night);
  addFindings(
    file,
    [draft({ subject: 'crash:DEPTH', kind: 'crash', text: 'DEPTH 12 runs out of memory', n: 1 })],
    night,
  );
  addFindings(
    file,
    [
      draft({
        subject: null,
        claim: null,
        kind: 'note',
        by: 'agent',
        text: '~~all\n# wrong~~',
        n: null,
        experimentIds: [],
      }),
    ],
    { campaign: 'day', at: night.at + 86_400_000 },
  );
  expect(notebook(Object.values(file.findings))).toMatchInlineSnapshot(`
    "# Findings

    What the runs of this project have shown, the latest campaign first; n is the number of runs that a sentence rests on. What was
    refuted stays, struck through, with what stands in its place. Written anew from \`findings.json\`: what is changed here is lost.

    ## day

    ### Notes

    - **finding-004**: \\~\\~all # wrong\\~\\~ (2026-03-15; an agent’s note)

    ## night

    ### What the factors do

    - **finding-002**: MATRIX_LR has no effect (n = 8; exp-0001…exp-0003, exp-0007; 2026-03-14) Replaces finding-001.
    - finding-001: ~~MATRIX_LR 0.05 is better than 0.03 by 0.0021~~ (n = 4; exp-0001…exp-0003, exp-0007; 2026-03-14) Replaced by finding-002.

    ### What crashes

    - **finding-003**: DEPTH 12 runs out of memory (n = 1; exp-0001…exp-0003, exp-0007; 2026-03-14)
    "
  `);
});

it('says that nothing is known rather than nothing', () => {
  expect(notebook([])).toContain('Nothing is known yet.');
});
