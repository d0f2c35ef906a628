import { type Finding, NOT_SHOWN } from './finding.js';
import { type ExperimentId, ordinal } from './ids.js';

const CHAPTERS: readonly { readonly kind: Finding['kind']; readonly title: string }[] = [
  { kind: 'wave', title: 'What was asked' },
  { kind: 'result', title: 'What came of it' },
  { kind: 'effect', title: 'What the factors do' },
  { kind: 'trend', title: 'Trends' },
  { kind: 'hardware', title: 'Machines' },
  { kind: 'noise', title: 'Noise' },
  { kind: 'crash', title: 'What crashes' },
  { kind: 'decision', title: 'Decisions' },
  { kind: 'note', title: 'Notes' },
];

const HEAD = `# Findings

What the runs of this project have shown, the latest campaign first; n is the number of runs that a sentence rests on. What was
refuted stays, struck through, with what stands in its place. Written anew from \`findings.json\`: what is changed here is lost.`;

/** All findings as Markdown, for people and for the next campaign. */
export function notebook(findings: readonly Finding[]): string {
  if (findings.length === 0) return `${HEAD}\n\nNothing is known yet.\n`;
  const latest = new Map<string, number>();
  for (const { campaign, at } of findings) latest.set(campaign, Math.max(at, latest.get(campaign) ?? 0));
  const campaigns = [...latest].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const parts = campaigns.map((name) => {
    const mine = findings.filter(({ campaign }) => campaign === name);
    return `## ${name}\n\n${CHAPTERS.flatMap(({ kind, title }) => chapter(title, mine, kind)).join('\n\n')}`;
  });
  return `${[HEAD, ...parts].join('\n\n')}\n`;
}

function chapter(title: string, findings: readonly Finding[], kind: Finding['kind']): string[] {
  const entries = findings.filter((finding) => finding.kind === kind);
  // What stands comes first, and of that what was shown, the latest first; what was written at once stays in its order.
  const order = (a: Finding, b: Finding) =>
    Number(a.supersededBy !== null) - Number(b.supersededBy !== null) ||
    Number(a.claim === NOT_SHOWN) - Number(b.claim === NOT_SHOWN) ||
    b.at - a.at ||
    ordinal(a.id) - ordinal(b.id);
  return entries.length === 0 ? [] : [`### ${title}\n\n${[...entries].sort(order).map(entry).join('\n')}`];
}

function entry({ id, text, n, experimentIds, at, by, supersedes, supersededBy }: Finding): string {
  const basis = [
    ...(n === null ? [] : [`n = ${n}`]),
    ...(experimentIds.length === 0 ? [] : [idSpans(experimentIds)]),
    new Date(at).toISOString().slice(0, 10),
    ...(by === 'agent' ? ['an agent’s note'] : []),
  ].join('; ');
  const words = inLine(text);
  if (supersededBy !== null) return `- ${id}: ~~${words}~~ (${basis}) Replaced by ${supersededBy}.`;
  return `- **${id}**: ${words} (${basis})${supersedes === null ? '' : ` Replaces ${supersedes}.`}`;
}

/** One line of Markdown, whatever an agent wrote: no headings, no items, no strike-through of its own. */
const inLine = (text: string): string => text.replace(/\s+/g, ' ').trim().replaceAll('~', '\\~').replaceAll('<', '\\<');

/** `exp-0001…exp-0004, exp-0009`, in order. */
export function idSpans(ids: readonly ExperimentId[]): string {
  const sorted = [...new Set(ids)].sort((a, b) => ordinal(a) - ordinal(b));
  const spans: ExperimentId[][] = [];
  for (const id of sorted) {
    const last = spans.at(-1)?.at(-1);
    if (last !== undefined && ordinal(last) + 1 === ordinal(id)) spans.at(-1)?.push(id);
    else spans.push([id]);
  }
  return spans.map((span) => (span.length > 2 ? `${span[0]}…${span.at(-1)}` : span.join(', '))).join(', ');
}
