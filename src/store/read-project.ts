import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AutoresearchError } from '../domain/errors.js';
import { type Project, ProjectFile, TaskFile } from '../domain/project.js';

const FILE = 'autoresearch.yaml';

/**
 * Settings of a project folder: its `autoresearch.yaml`, or the defaults where there is none.
 * @throws invalid_project with what is wrong, where
 */
export async function readProject(directory: string): Promise<Project> {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new AutoresearchError(
      'invalid_project',
      `The project folder ${directory} does not exist.`,
      'Set --project, or AUTORESEARCH_PROJECT, to the folder that holds train.py and experiment.yaml.',
    );
  }
  const path = join(directory, FILE);
  const text = existsSync(path) ? await readText(path) : '';
  const settings = checked(ProjectFile, parsed(text, path) ?? {}, path);
  return { directory, settings, campaign: settings.campaign ?? nameFrom(directory) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AutoresearchError(
      'invalid_project',
      `${path} cannot be read: ${reason}`,
      'Make it a file, or remove it.',
      {
        cause: error,
      },
    );
  }
}

/** @throws invalid_project when the text is no SkyPilot task that can be run here */
export function parseTask(text: string, path: string): TaskFile {
  const task = checked(TaskFile, parsed(text, path), path);
  if (task.workdir !== undefined && task.workdir !== null && !['.', './'].includes(task.workdir)) {
    throw new AutoresearchError(
      'invalid_project',
      `${path}: workdir is ${task.workdir}, and the snapshot of an experiment is the project folder.`,
      'Write "workdir: ." and set --project to the folder that holds the code.',
    );
  }
  const missing = Object.entries(task.envs ?? {}).filter(([, value]) => value === null);
  if (missing.length > 0) {
    throw new AutoresearchError(
      'invalid_project',
      `${path}: envs without a value: ${missing.map(([name]) => name).join(', ')}.`,
      'Give each a value in the task.',
    );
  }
  return task;
}

function parsed(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // Not only YAMLParseError: an alias without its anchor is found later, and is a ReferenceError.
    const reason = error instanceof Error ? error.message : String(error);
    throw new AutoresearchError('invalid_project', `${path} is no YAML: ${reason}`, 'Mend it and call again.', {
      cause: error,
    });
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AutoresearchError(
    'invalid_project',
    `${path}: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`,
    'Mend it and call again; README lists the fields.',
    { cause: result.error },
  );
}

/** A folder's name as a campaign's: `My Research` gives `my-research`. */
function nameFrom(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return name === '' ? 'campaign' : name;
}
