import { expect, it } from 'vitest';
import { foreignLine, foreignText } from '../../src/cli/inspect/foreign-text.js';
import { difference, duration, metricValue, percent } from '../../src/cli/inspect/quantities.js';

it('writes what is not there as a dash', () => {
  expect([metricValue(null), difference(null), duration(null), percent(null)]).toEqual(['–', '–', '–', '–']);
  expect(metricValue(0)).toBe('0.000000');
});

it('gives a duration the unit that fits it', () => {
  expect([0, 59.6, 100, 3000, 7200].map(duration)).toEqual(['0 s', '60 s', '1.7 min', '50 min', '2.0 h']);
});

it('takes colours, cursor movements and window titles out of what a job printed', () => {
  expect(foreignText('\u001b[31mred\u001b[0m\u001b[2J\u001b]0;title\u0007 a\tb\nc\u0008\u009b')).toBe('red a\tb\nc');
  expect(foreignLine('two\nlines\r\u001b[A')).toBe('two lines');
});
