import { distance } from 'fastest-levenshtein';

/** All of `known`, the most alike to `name` first, case aside. */
export function nearestFirst(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  return [...known].sort((a, b) => distance(wanted, a.toLowerCase()) - distance(wanted, b.toLowerCase()));
}

/** `a, b, c and 4 more`: a list that a message can carry. */
export function listed(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
