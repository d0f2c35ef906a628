import { relative } from 'node:path';

/** As a person would type it from here. */
export function shownPath(path: string): string {
  const short = relative('.', path);
  if (short === '') return '.';
  return short.startsWith('..') ? path : short;
}
