import { AutoresearchError } from '../errors.js';
import type { Factors } from './factor.js';
import { definingWords, type Fraction, fractionsFor, resolutionOf, rowsOf } from './fractions.js';
import type { Ask, DesignKind, Planned } from './planned.js';
import { pointsOf, twoLevelsOf } from './two-levels.js';
import { aliasLines, aliasSets, groupOf, inOrder, nameOf } from './words.js';

/** From here on no main effect shares its estimate with a two-factor interaction. */
const CLEAR = 4;

export const fractionalFactorial: DesignKind<'fractional_factorial'> = {
  name: 'fractional_factorial',
  plan(factors: Factors, { size }: Ask): Planned {
    const levels = twoLevelsOf('fractional_factorial', factors);
    const names = Object.keys(levels);
    const fraction = chosenFraction(names.length, size);
    const words = definingWords(fraction);
    const group = groupOf(words);
    const resolution = resolutionOf(group);
    return {
      points: pointsOf(rowsOf(fraction), levels),
      levels,
      generators: fraction.generators.map((word, index) => `${names[fraction.base + index]} = ${nameOf(word, names)}`),
      definingRelation: inOrder(group)
        .map((word) => nameOf(word, names))
        .join(' = '),
      resolution,
      aliases: aliasLines(aliasSets(names.length, group), names),
      separates: SEPARATES[Math.min(resolution, 5)] ?? '',
    };
  },
};

const SEPARATES: Readonly<Record<number, string>> = {
  3: 'Main effects are told apart from each other, but each is mixed with two-factor interactions (see aliases). Confirm what looks large with a larger fraction or a full factorial of those factors.',
  4: 'Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases).',
  5: 'Main effects and two-factor interactions are all told apart; they are mixed with interactions of three factors or more only.',
};

/** The size asked for, else the smallest that keeps main effects clear of two-factor interactions. */
function chosenFraction(factors: number, size: number | null): Fraction {
  const there = fractionsFor(factors);
  const [smallest] = there;
  if (!smallest) {
    throw new AutoresearchError(
      'invalid_input',
      `A fractional_factorial takes 3 to 10 factors; there ${factors === 1 ? 'is 1' : `are ${factors}`}.`,
      factors < 3 ? 'Take full_factorial.' : 'Take plackett_burman (up to 11 factors), or fewer factors.',
    );
  }
  if (size === null) {
    return there.find((fraction) => resolutionOf(groupOf(definingWords(fraction))) >= CLEAR) ?? smallest;
  }
  const found = there.find(({ runs }) => runs === size);
  if (found) return found;
  const sizes = there.map(({ runs }) => runs).join(', ');
  throw new AutoresearchError(
    'invalid_input',
    `There is no fraction of ${factors} two-level factors in ${size} runs.`,
    `Sizes for ${factors} factors: ${sizes}${size === 2 ** factors ? '; all of them is kind full_factorial' : ''}.`,
  );
}
