import { Matrix } from 'ml-matrix';
import type { BlockedObservation } from './observations.js';

/** Through two points a line always passes: fewer blocks say nothing of what steps are worth. */
const MIN_BLOCKS = 3;

/**
 * Offsets of blocks that no configuration joins, from the speed of the machines: b_h = β (L_h − L̄), where L_h is the block's
 * mean of ln(num_steps) and β the slope of the blocks' mean values over it (least squares, blocks alike). It takes the configurations
 * as dealt to the machines by chance, and a slower configuration as a slower machine: good for a ranking, not for a verdict.
 * Blocks × 1, in the order given; null when steps are unknown on some block, all alike, or there are fewer than 3 blocks.
 */
export function stepOffsets(
  observations: readonly Pick<BlockedObservation, 'block' | 'value' | 'numSteps'>[],
  blocks: readonly { readonly block: string }[],
): Matrix | null {
  const points = blocks.flatMap(({ block }) => {
    const runs = observations.filter((run) => run.block === block);
    const logs = runs.flatMap(({ numSteps }) => (numSteps === null ? [] : [Math.log(numSteps)]));
    return logs.length === 0 ? [] : [{ logSteps: mean(logs), value: mean(runs.map(({ value }) => value)) }];
  });
  if (points.length < MIN_BLOCKS || points.length < blocks.length) return null;
  const [centre, level] = [mean(points.map(({ logSteps }) => logSteps)), mean(points.map(({ value }) => value))];
  const spread = points.reduce((sum, { logSteps }) => sum + (logSteps - centre) ** 2, 0);
  if (spread === 0) return null;
  const slope = points.reduce((sum, { logSteps, value }) => sum + (logSteps - centre) * (value - level), 0) / spread;
  return Matrix.columnVector(points.map(({ logSteps }) => slope * (logSteps - centre)));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
