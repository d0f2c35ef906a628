/** Lines of code that a change adds and removes; blank ones do not count. */
export interface LineBalance {
  readonly added: number;
  readonly removed: number;
}

/** Of a unified diff. Its headers are no lines of code. */
export function lineBalance(diff: string): LineBalance {
  let [added, removed] = [0, 0];
  for (const line of diff.split('\n')) {
    if (/^\+(?!\+\+ )/.test(line) && line.slice(1).trim() !== '') added++;
    if (/^-(?!-- )/.test(line) && line.slice(1).trim() !== '') removed++;
  }
  return { added, removed };
}

/** An equal result with less code is worth keeping. */
export const isSimpler = ({ added, removed }: LineBalance): boolean => removed > added;
