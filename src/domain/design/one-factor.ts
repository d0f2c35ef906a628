import { AutoresearchError } from '../errors.js';
import { type Factors, levelsOf } from './factor.js';
import { type Ask, assertFewEnough, assertOwnSize, type DesignKind, type Planned, UNCONFOUNDED } from './planned.js';

/** Each factor's levels in turn; the others are not overridden, so that they stay what the incumbent has. */
export const oneFactor: DesignKind<'one_factor'> = {
  name: 'one_factor',
  plan(factors: Factors, ask: Ask): Planned {
    const levels = Object.fromEntries(Object.entries(factors).map(([name, factor]) => [name, levelsOf(name, factor)]));
    const empty = Object.keys(levels).filter((name) => levels[name]?.length === 0);
    if (empty.length > 0) {
      throw new AutoresearchError(
        'invalid_input',
        `Factors without a level: ${empty.join(', ')}.`,
        'A sweep needs one or more: {"DEPTH": [6, 8, 10]}.',
      );
    }
    const points = Object.entries(levels).flatMap(([name, values]) => values.map((value) => ({ [name]: value })));
    assertFewEnough(points.length);
    assertOwnSize('one_factor', points.length, ask);
    return {
      points,
      levels,
      ...UNCONFOUNDED,
      separates:
        'Each level is compared with the incumbent, which sentinels run beside it. Interactions cannot be seen: the best levels of two factors need not be best together.',
    };
  },
};
