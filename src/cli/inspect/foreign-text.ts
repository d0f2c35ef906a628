import { stripVTControlCharacters } from 'node:util';

/**
 * What a job, an agent or a file said, made harmless for a terminal: no colours, no cursor movements, nothing that
 * could overwrite what stands beside it.
 */
export const foreignText = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out; tab and newline stay.
  stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');

/** The same for one cell of a table. */
export const foreignLine = (text: string): string => foreignText(text).replace(/\s+/g, ' ').trim();
