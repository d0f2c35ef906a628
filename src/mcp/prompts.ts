import { AutoresearchError } from '../domain/errors.js';

export interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
  text(given: Readonly<Record<string, string>>): string;
}

export const PROMPTS: readonly Prompt[] = [
  {
    name: 'start_campaign',
    title: 'Start a campaign',
    description: 'Reads the project and launches the first wave.',
    arguments: [{ name: 'goal', description: 'What to find out or improve.', required: false }],
    text: ({ goal }) => `Start a research campaign on this project${goal ? `: ${goal}` : ''}.
Read program.md (the rules), train.py and prepare.py if they exist, and call campaign_status. Choose the three or four constants that you expect to matter most, and launch a first wave with launch_wave: a small design over two or three of them, at levels far enough apart to show an effect. Then go on wave after wave as the server's instructions say, without stopping to ask.`,
  },
  {
    name: 'next_wave',
    title: 'Design the next wave',
    description: 'Looks at what is known and launches the wave that would teach most.',
    arguments: [{ name: 'idea', description: 'A direction to take.', required: false }],
    text: ({ idea }) => `Design and launch the next wave${idea ? `, in this direction: ${idea}` : ''}.
Call campaign_status, read autoresearch://leaderboard, and say in one line each: what the last wave showed, what is still unknown, what could be noise. Then call launch_wave with 4-16 experiments that separate those explanations: cross the factors that may interact, replicate what looks good, and leave out what was run before.`,
  },
  {
    name: 'write_report',
    title: 'Write the report',
    description: 'Sums the campaign up for people.',
    arguments: [],
    text: () => `Write the report of this campaign for the people who own it.
Read campaign_status, autoresearch://leaderboard and autoresearch://results.tsv, and the diff of the best experiment. Give: the question, the best configuration with its metric beside the incumbent's and what is known of the noise, what each factor did (with n), what crashed and why, GPU hours and experiments per hour, and what you would try next. Claim nothing that one run alone shows.`,
  },
];

/** @throws not_found, invalid_input */
export function promptText(name: string, given: Readonly<Record<string, string>>): { prompt: Prompt; text: string } {
  const prompt = PROMPTS.find((candidate) => candidate.name === name);
  if (prompt) return { prompt, text: prompt.text(given) };
  throw new AutoresearchError(
    'not_found',
    `There is no prompt ${name}.`,
    `There are: ${PROMPTS.map((known) => known.name).join(', ')}.`,
  );
}
