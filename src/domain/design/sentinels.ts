import type { Seat } from './balanced-blocks.js';

/**
 * Clusters of the sentinels, which are replicates of the incumbent: one on each accelerator of the wave at least, even
 * where fewer were asked for, the rest on clusters that have none yet. Counting `rotation` up from wave to wave brings
 * every cluster its turn. Empty without clusters or sentinels.
 */
export function placeSentinels(clusters: readonly Seat[], count: number, rotation: number): string[] {
  if (count === 0) return [];
  const accelerators = [...new Set(clusters.map(({ accelerator }) => accelerator))];
  const first = accelerators.flatMap((wanted) => {
    const group = clusters.filter(({ accelerator }) => accelerator === wanted);
    return turned(group, rotation).slice(0, 1);
  });
  const others = turned(clusters, rotation).filter((cluster) => !first.includes(cluster));
  const round = [...first, ...others];
  return Array.from({ length: clusters.length === 0 ? 0 : Math.max(count, first.length) }).flatMap(
    (_, index) => round[index % round.length]?.cluster ?? [],
  );
}

const turned = <Item>(items: readonly Item[], by: number): Item[] =>
  items
    .map((_, index) => items[(((index + by) % items.length) + items.length) % items.length])
    .filter((item) => item !== undefined);
