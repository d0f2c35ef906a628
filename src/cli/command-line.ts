import { Command } from 'commander';
import { AutoresearchError } from '../domain/errors.js';
import type { Lab } from '../lab/lab.js';

interface Workshop {
  openLab(): Promise<Lab>;
  close(): Promise<void>;
}

export interface CommandLine {
  readonly version: string;
  readonly openWorkshop: (folder: string) => Workshop;
  /** `--project`, else AUTORESEARCH_PROJECT, else the working directory. */
  readonly projectFolder: (flag: string | undefined) => string;
}

/** Runs a command for a person. What went wrong is said on stderr with what to do about it, and the exit code is 1. */
export async function runCommandLine({
  args,
  ...rest
}: CommandLine & { readonly args: readonly string[] }): Promise<void> {
  // A pipe whose reader has gone (`inspect | head`) has had all that it wanted.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => process.exit(0));
  try {
    await createProgram(rest).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof AutoresearchError)) throw error;
    process.stderr.write(`${error.message}\n${error.hint}\n`);
    process.exitCode = 1;
  }
}

export function createProgram({ version, openWorkshop, projectFolder }: CommandLine): Command {
  const program = new Command('autoresearch-mcp')
    .description('Without a command: the MCP server on stdio, which an agent’s client starts.')
    .version(version)
    // Else the server's --project would take a command's.
    .enablePositionalOptions()
    .option('--project <dir>', 'project folder (default: AUTORESEARCH_PROJECT, else the working directory)')
    .addHelpText(
      'after',
      '\nExamples:\n  autoresearch-mcp demo\n  autoresearch-mcp inspect --watch\n  autoresearch-mcp inspect exp-0003 --log',
    );

  program
    .command('inspect')
    .description('Shows a campaign, whether or not a server runs; changes nothing.')
    .argument('[what]', 'wave-001 for a wave, exp-0003 for an experiment; nothing for the whole campaign')
    .option('--project <dir>', 'project folder, or one that has some beneath it (default: as for the server)')
    .option('--log', 'the whole log of an experiment, not its last lines')
    .option('--json', 'the same facts as JSON, in a shape that only grows')
    .option('--charts <dir>', 'writes progress.svg, effects.svg and hardware.svg there')
    .option('--watch', 'draws anew until Ctrl-C; with --json one line each time')
    .action(async (what: string | undefined, options: InspectOptions) => {
      const { runInspect } = await import('./inspect/run-inspect.js');
      const workshops = new Map<string, Workshop>();
      const openLab = (folder: string) => {
        const workshop = workshops.get(folder) ?? openWorkshop(folder);
        workshops.set(folder, workshop);
        return workshop.openLab();
      };
      await runInspect(projectFolder(options.project), what, options, openLab);
    });

  program
    .command('demo')
    .description('A first wave of real training runs on this machine, through the real server: about two minutes.')
    .option('--project <dir>', 'a copy of examples/quickstart to run it in (default: examples/quickstart itself)')
    .action(async ({ project }: { project?: string }) => {
      const { runDemo } = await import('./demo/demo.js');
      await runDemo({ project, openWorkshop });
    });

  const inLab = async (project: string | undefined, work: (lab: Lab) => Promise<void>) => {
    const workshop = openWorkshop(projectFolder(project));
    await work(await workshop.openLab()).finally(() => workshop.close());
  };

  program
    .command('import')
    .description('Reads the results.tsv of a campaign that ran elsewhere, in either published column order.')
    .argument('<file>', 'the results.tsv')
    .option('--project <dir>', 'project folder (default: as for the server)')
    .option('--campaign <name>', 'a campaign of its own for these runs (default: made from the file’s name)')
    .action(async (file: string, { project, campaign }: { project?: string; campaign?: string }) => {
      const { runImport } = await import('./results/import-command.js');
      await inLab(project, (lab) => runImport(lab, file, campaign));
    });

  program
    .command('export')
    .description('Writes the results.tsv of the campaign, in SkyPilot’s column order.')
    .option('--project <dir>', 'project folder (default: as for the server)')
    .option('--out <file>', 'where to (default: printed)')
    .action(async ({ project, out }: { project?: string; out?: string }) => {
      const { runExport } = await import('./results/export-command.js');
      await inLab(project, (lab) => runExport(lab, out));
    });

  return program;
}

interface InspectOptions {
  readonly project?: string;
  readonly log?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly charts?: string;
}
