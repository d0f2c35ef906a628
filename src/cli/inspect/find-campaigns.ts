import { type Dirent, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const SKIPPED: readonly string[] = ['node_modules', '.git', 'dist', '.venv', '.autoresearch', '__pycache__'];
/** A repository with projects in `examples/`, a folder of such repositories; not a whole home. */
const DEEPEST = 4;

export const holdsCampaign = (folder: string): boolean => existsSync(join(folder, '.autoresearch', 'campaigns'));

/** The folder itself if it holds a campaign, else those beneath it that do, in order of their paths. */
export async function findCampaigns(folder: string, depth = DEEPEST): Promise<string[]> {
  if (holdsCampaign(folder)) return [folder];
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []); // not ours to read
  const folders = entries
    .filter((entry) => entry.isDirectory() && !SKIPPED.includes(entry.name))
    .map(({ name }) => name);
  const found = await Promise.all(folders.sort().map((name) => findCampaigns(join(folder, name), depth - 1)));
  return found.flat();
}
