// `npm run gen`: writes into README.md, between markers, what the code knows best, and renews the copies in examples/quickstart.
// With --check it changes nothing and fails where they differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createProgram } from '../dist/cli/command-line.js';
import { CampaignReport, ExperimentReport, FolderReport, WaveReport } from '../dist/cli/inspect/report.js';
import { ERROR_CODES } from '../dist/domain/errors.js';
import { ProjectFile } from '../dist/domain/project.js';
import { TOOLS } from '../dist/mcp/tools/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(`${root}/${path}`, 'utf8');

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads, rows) => [row(...heads), `|${' --- |'.repeat(heads.length)}`, ...rows].join('\n');
const code = (value) => `\`${value}\``;

/** `wave_id`, `wait_seconds = 0`, `experiments?`: what must be given stands bare. */
function argumentsOf(input) {
  const { properties = {}, required = [] } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, { default: value }]) => {
    if (required.includes(name)) return code(name);
    return code(value === undefined ? `${name}?` : `${name} = ${JSON.stringify(value)}`);
  });
}

const tools = () =>
  table(
    ['tool', 'what it does', 'arguments'],
    TOOLS.map(({ name, description, input }) => row(code(name), description, argumentsOf(input).join(', ') || 'none')),
  );

const errors = () =>
  table(
    ['code', 'when'],
    Object.entries(ERROR_CODES).map(([name, meaning]) => row(code(name), meaning)),
  );

function commands() {
  const program = createProgram({ version: '', openWorkshop: () => null, projectFolder: () => '' });
  const usage = (command) =>
    [
      program.name(),
      command === program ? '' : command.name(),
      ...command.registeredArguments.map((a) => `[${a.name()}]`),
    ]
      .filter(Boolean)
      .join(' ');
  return [program, ...program.commands]
    .map((command) => {
      const words = [
        ...command.registeredArguments.map((argument) => row(code(`[${argument.name()}]`), argument.description)),
        ...command.options.map(({ flags, description }) => row(code(flags), description)),
      ];
      return `**${code(usage(command))}** ${command.description()}\n\n${table(['', ''], words)}`;
    })
    .join('\n\n');
}

const unwrap = (schema) => (schema.def?.innerType ? unwrap(schema.def.innerType) : schema);

function projectFields() {
  const fields = (shape, defaults, prefix) =>
    Object.entries(shape).flatMap(([name, schema]) => {
      const inner = unwrap(schema);
      const path = `${prefix}${name}`;
      if (inner.shape && schema.description === undefined) return fields(inner.shape, defaults[name], `${path}.`);
      const value = defaults?.[name];
      return [row(code(path), value === undefined ? '' : code(JSON.stringify(value)), schema.description ?? '')];
    });
  return table(['field', 'default', 'meaning'], fields(ProjectFile.shape, ProjectFile.parse({}), ''));
}

const jsonFields = () =>
  table(
    ['kind', 'printed by', 'fields'],
    [
      [CampaignReport, 'inspect'],
      [WaveReport, 'inspect wave-001'],
      [ExperimentReport, 'inspect exp-0003'],
      [FolderReport, 'inspect, above several campaigns'],
    ].map(([schema, by]) =>
      row(
        code(schema.shape.kind.value),
        code(by),
        Object.keys(schema.shape)
          .filter((name) => name !== 'kind')
          .map(code)
          .join(', '),
      ),
    ),
  );

const SECTIONS = { tools, commands, 'project-fields': projectFields, errors, 'inspect-json': jsonFields };

/** README.md with every section between its markers written anew. */
function readme() {
  let text = read('README.md');
  for (const [name, write] of Object.entries(SECTIONS)) {
    const [start, end] = [`<!-- generated: ${name} -->`, `<!-- /generated: ${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`README.md lacks "${start}" … "${end}".`);
    text = `${text.slice(0, from + start.length)}\n${write()}\n${text.slice(to)}`;
  }
  return text;
}

/** python-core's task, with a training time that suits a demo. */
const quickstartTask = () =>
  read('python-core/experiment.yaml').replace(
    'envs:\n',
    'envs:\n  AUTORESEARCH_TIME_BUDGET: 8 # seconds of training: a demo, not research\n',
  );

const wanted = {
  'README.md': readme,
  'examples/quickstart/train.py': () => read('python-core/train.py'),
  'examples/quickstart/prepare.py': () => read('python-core/prepare.py'),
  'examples/quickstart/experiment.yaml': quickstartTask,
};
const isCheck = process.argv.includes('--check');
const stale = Object.entries(wanted).filter(([path, make]) => {
  const text = make();
  if (read(path) === text) return false;
  if (!isCheck) writeFileSync(`${root}/${path}`, text);
  return true;
});
for (const [path] of stale) console.log(`${path} ${isCheck ? 'is not current: run npm run gen' : 'written'}`);
if (isCheck && stale.length > 0) process.exitCode = 1;
