import { fractionalFactorial } from './fractional-factorial.js';
import { fullFactorialDesign } from './full-factorial.js';
import { latinHypercube } from './latin-hypercube.js';
import { oneFactor } from './one-factor.js';
import { plackettBurman } from './plackett-burman.js';

export const DESIGNS = [fullFactorialDesign, fractionalFactorial, plackettBurman, latinHypercube, oneFactor] as const;
export type DesignName = (typeof DESIGNS)[number]['name'];
export const DESIGN_NAMES: readonly DesignName[] = DESIGNS.map(({ name }) => name);
