import { AutoresearchError } from './errors.js';
import type { Edit } from './experiment.js';

/**
 * `source` with `find` replaced, which must stand there exactly once.
 * @throws invalid_code with the number of matches, and their lines where there are several
 */
export function applyEdit(source: string, { file, find, replace }: Edit): string {
  const places: number[] = [];
  for (let at = source.indexOf(find); at >= 0; at = source.indexOf(find, at + 1)) places.push(at);
  const [place, ...others] = places;
  if (place === undefined) {
    throw new AutoresearchError(
      'invalid_code',
      `The edit of ${file} matches nothing: ${JSON.stringify(find.slice(0, 120))}.`,
      'Give "find" exactly as it stands in the file, spaces and line breaks included.',
    );
  }
  if (others.length > 0) {
    const lines = places.map((at) => source.slice(0, at).split('\n').length);
    throw new AutoresearchError(
      'invalid_code',
      `The edit of ${file} matches ${places.length} times, in lines ${lines.slice(0, 8).join(', ')}: ${JSON.stringify(find.slice(0, 120))}.`,
      'Lengthen "find" until it stands there once.',
    );
  }
  return source.slice(0, place) + replace + source.slice(place + find.length);
}
