import { stripVTControlCharacters } from 'node:util';
import { EXIT_LINE, SETUP_FAILED_LINE, TIMEOUT_LINE } from './job-wrapper.js';

/** What is kept of a log that is very long. */
const HEAD_CHARACTERS = 64 * 1024;
const TAIL_CHARACTERS = 4 * 1024 * 1024;

/** `(name, pid=N) `, coloured, before each line that a job printed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colour is a control sequence
const PREFIX = /^(?:\u001b\[[\d;]*m)*\([^()\n]*, pid=\d+\)(?:\u001b\[[\d;]*m)* /;

/** Lines of SkyPilot's own around a job's; they carry no prefix. */
const OWN = [
  /^[├└]── /,
  /^✓ Job finished \(status: /,
  /^ERROR: Job \d+ failed with return code list: /,
  /^srun: error: .*Exited with exit code \d+$/,
];

/** The second of a job whose submission was cut off before it could run. */
const NO_LOG = [/^Job \d+ not found/, /^ERROR: Logs for job \d+ .*does not exist/];

/** The job's own output from the pieces that SkyPilot streams; null: there is none. */
export async function jobText(pieces: AsyncIterable<string>): Promise<string | null> {
  let head = '';
  let tail: string[] = [];
  let tailLength = 0;
  let isFirst = true;
  for await (const line of linesOf(pieces)) {
    if (isFirst && NO_LOG.some((pattern) => pattern.test(stripVTControlCharacters(line)))) return null;
    isFirst = false;
    const text = ownText(line);
    if (text === null) continue;
    if (tailLength === 0 && head.length + text.length <= HEAD_CHARACTERS) {
      head += text;
      continue;
    }
    tail.push(text);
    tailLength += text.length;
    // Seldom, for each time everything is copied.
    if (tailLength > 2 * TAIL_CHARACTERS) {
      tail = [tail.join('').slice(-TAIL_CHARACTERS)];
      tailLength = TAIL_CHARACTERS;
    }
  }
  return head + tail.join('').slice(-TAIL_CHARACTERS);
}

function ownText(line: string): string | null {
  if (PREFIX.test(line)) return line.replace(PREFIX, '');
  const plain = stripVTControlCharacters(line).trimEnd();
  return OWN.some((pattern) => pattern.test(plain)) ? null : line;
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncIterable<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split(/(?<=\n)/);
    rest = lines.at(-1)?.endsWith('\n') ? '' : (lines.pop() ?? '');
    yield* lines;
  }
  if (rest !== '') yield rest;
}

export interface JobEnd {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly setupFailed: boolean;
}

/** How a job ended, in the words that our wrapper put last into its log; null where it was ended before it could. */
export function jobEnd(text: string): JobEnd {
  const lines = text.split('\n').map((line) => line.trim());
  const exit = lines.findLast((line) => line.startsWith(`${EXIT_LINE} `))?.slice(EXIT_LINE.length + 1);
  return {
    exitCode: exit === undefined || !/^\d+$/.test(exit) ? null : Number(exit),
    timedOut: lines.includes(TIMEOUT_LINE),
    setupFailed: lines.includes(SETUP_FAILED_LINE),
  };
}
