import { describe, expect, it } from 'vitest';
import { aliasedLevels, aliasedWith } from '../../../src/domain/analysis/model-aliases.js';
import { trendOver } from '../../../src/domain/analysis/trends.js';
import type { Experiment } from '../../../src/domain/experiment.js';
import { SnapshotHash } from '../../../src/domain/ids.js';
import { done, makeExperiment } from '../make-experiment.js';

/** What upstream's train.py prints; the formula is its own, and stands here only. */
const printed = (aspectRatio: number, depth = 8): string => {
  const width = Math.ceil((depth * aspectRatio) / 128) * 128;
  return `{'sequence_len': 2048, 'vocab_size': 8192, 'n_layer': ${depth}, 'n_head': ${width / 128}, 'n_embd': ${width}}`;
};
const OTHER_BASE = SnapshotHash.parse('c'.repeat(64));
let next = 1;
const ran = (overrides: Record<string, number>, about: Partial<Experiment> = {}) =>
  done(next++, 0.98, {
    overrides,
    modelConfig: printed(overrides['ASPECT_RATIO'] ?? 64, overrides['DEPTH'] ?? 8),
    ...about,
  });
const planned = (overrides: Record<string, number>, about: Partial<Experiment> = {}) =>
  makeExperiment(999, { overrides, ...about });

/** Phase 2 of the published run, one wave. */
const PUBLISHED = [
  [48, 0.985, 384],
  [64, 0.982, 512],
  [72, 0.98, 640],
  [80, 0.979, 640],
  [90, 0.978, 768],
  [96, 0.977, 768],
  [112, 0.984, 896],
] as const;
const wave = PUBLISHED.map(([level, value]) =>
  done(level, value, {
    overrides: { ASPECT_RATIO: level },
    levels: { ASPECT_RATIO: level },
    modelConfig: printed(level),
  }),
);

describe('the published aspect-ratio wave', () => {
  it('has the widths that were printed', () => {
    expect(PUBLISHED.map(([level, , width]) => printed(level).includes(`'n_embd': ${width}}`))).not.toContain(false);
  });

  it('tested five models under seven names: 72 is 80, and 90 is 96', () => {
    expect(aliasedLevels('ASPECT_RATIO', wave).map(({ levels, experiments }) => ({ levels, experiments }))).toEqual([
      { levels: ['72', '80'], experiments: ['exp-0072', 'exp-0080'] },
      { levels: ['90', '96'], experiments: ['exp-0090', 'exp-0096'] },
    ]);
  });

  it('has its optimum inside the range, by the noise of one session and by that between hosts', () => {
    const runs = PUBLISHED.map(([level, value]) => ({ level, value }));
    for (const sd of [1.5e-4, 7e-4]) {
      const trend = trendOver(runs, { goal: 'minimize', scale: 'linear', noise: { sd, df: 12 } });
      expect(trend).toMatchObject({ shape: 'optimum_inside', best: 96 });
      expect(trend?.turnsAt).toBeGreaterThan(72);
      expect(trend?.turnsAt).toBeLessThan(96);
    }
  });
});

describe('aliased levels', () => {
  it('are none of a constant that never changed the model, whatever the model', () => {
    const runs = [ran({ LR: 0.03 }), ran({ LR: 0.05 }), ran({ LR: 0.07 })];
    expect(aliasedLevels('LR', runs)).toEqual([]);
  });

  it('are none where equal levels are all that was seen: it may be no constant of the model', () => {
    expect(aliasedLevels('ASPECT_RATIO', [ran({ ASPECT_RATIO: 72 }), ran({ ASPECT_RATIO: 80 })])).toEqual([]);
  });

  it('include the base’s own value, and are said once though seen beside two learning rates', () => {
    const runs = [0.03, 0.05].flatMap((LR) => [
      ran({ LR }),
      ran({ LR, ASPECT_RATIO: 60 }),
      ran({ LR, ASPECT_RATIO: 96 }),
    ]);
    expect(aliasedLevels('ASPECT_RATIO', runs).map(({ levels }) => levels)).toEqual([['60', 'unchanged']]);
  });

  it('need all else equal: other constants, other edits, another base or a folder that was edited show nothing', () => {
    const edits = [{ file: 'train.py', find: 'a', replace: 'b' }];
    const others: Partial<Experiment>[] = [{ edits }, { base: OTHER_BASE }, { workdir: 'copy' }];
    for (const about of others) {
      const runs = [ran({ ASPECT_RATIO: 72 }), ran({ ASPECT_RATIO: 96 }), ran({ ASPECT_RATIO: 80 }, about)];
      expect(aliasedLevels('ASPECT_RATIO', runs)).toEqual([]);
    }
    expect(
      aliasedLevels('ASPECT_RATIO', [...wave.slice(4), ran({ ASPECT_RATIO: 92, LR: 0.1 })]).map(({ levels }) => levels),
    ).toEqual([['90', '96']]);
  });
});

describe('a planned configuration', () => {
  const [of72, of80] = [wave[2], wave[3]];
  const at72 = ran({ ASPECT_RATIO: 72, LR: 0.03 });
  const earlier = [...wave, at72];

  it('repeats an earlier one where three corners of the rectangle are seen', () => {
    // 72 and 80 are one model; 72 with LR 0.03 ran; so 80 with LR 0.03 is that run.
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.03 }), earlier)).toEqual({
      experiment: at72.id,
      constants: ['ASPECT_RATIO'],
      shownBy: [of72?.id, of80?.id],
    });
  });

  it('does not where the learning rate is another, for Model config holds none', () => {
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.07 }), earlier)).toBeNull();
  });

  it('does not where the model is another, or no run has shown which it is', () => {
    expect(aliasedWith(planned({ ASPECT_RATIO: 112, LR: 0.03 }), earlier)).toBeNull();
    expect(aliasedWith(planned({ ASPECT_RATIO: 79, LR: 0.03 }), earlier)).toBeNull();
  });

  it('does not where another shape constant differs: at depth 12, 72 and 80 are two models', () => {
    const deeper = ran({ ASPECT_RATIO: 72, DEPTH: 12 });
    const runs = [...earlier, deeper, ran({ ASPECT_RATIO: 96, DEPTH: 12 })];
    expect(printed(72, 12)).not.toBe(printed(80, 12));
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, DEPTH: 12 }), runs)).toBeNull();
  });

  it('is not said to repeat the run that it equals in all constants: that is no alias', () => {
    expect(aliasedWith(planned({ ASPECT_RATIO: 80 }), [...wave.slice(0, 2), ...wave.slice(3)])).toBeNull();
  });

  it('does not where the constant is not known to shape the model', () => {
    const runs = [ran({ ASPECT_RATIO: 72 }), ran({ ASPECT_RATIO: 80 }), ran({ ASPECT_RATIO: 72, LR: 0.03 })];
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.03 }), runs)).toBeNull();
  });

  it('does not across bases, edits or folders that were edited, nor where the earlier run printed no model', () => {
    const ask = (about: Partial<Experiment>) => aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.03 }, about), earlier);
    expect(ask({ base: OTHER_BASE })).toBeNull();
    expect(ask({ workdir: 'copy' })).toBeNull();
    expect(ask({ edits: [{ file: 'train.py', find: 'a', replace: 'b' }] })).toBeNull();
    const silent = { ...at72, modelConfig: null };
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.03 }), [...wave, silent])).toBeNull();
  });

  it('learns nothing from a Model config that is another for the same configuration', () => {
    const twice = done(500, 0.98, { overrides: { ASPECT_RATIO: 80 }, modelConfig: "{'seed': 1}" });
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, LR: 0.03 }), [...earlier, twice])).toBeNull();
    expect(aliasedLevels('ASPECT_RATIO', [...wave, twice]).map(({ levels }) => levels)).toEqual([['90', '96']]);
  });

  it('takes an exchange of two shape constants for an alias where both were seen to change the model', () => {
    const model = (ratio: number, head: number) => `{'n_embd': ${Math.ceil((8 * ratio) / head) * head}}`;
    const make = (ASPECT_RATIO: number, HEAD_DIM: number, more: Record<string, number> = {}) =>
      ran({ ASPECT_RATIO, HEAD_DIM, ...more }, { modelConfig: model(ASPECT_RATIO, HEAD_DIM) });
    const runs = [make(72, 64), make(80, 64), make(72, 128), make(80, 128), make(96, 128), make(72, 64, { LR: 0.03 })];
    // 72 with heads of 64 is 576 wide; no other is.
    expect(aliasedWith(planned({ ASPECT_RATIO: 80, HEAD_DIM: 128, LR: 0.03 }), runs)).toBeNull();
    const wide = [...runs, make(80, 64, { LR: 0.03 })];
    // 80 with heads of 64 and 72 with heads of 128 are both 640 wide.
    expect(aliasedWith(planned({ ASPECT_RATIO: 72, HEAD_DIM: 128, LR: 0.03 }), wide)).toMatchObject({
      constants: ['ASPECT_RATIO', 'HEAD_DIM'],
    });
  });

  it('is answered for a campaign of a thousand configurations', () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      ran({ ASPECT_RATIO: 48 + 8 * (index % 8), LR: Math.floor(index / 8), WD: index % 3 }),
    );
    expect(aliasedWith(planned({ ASPECT_RATIO: 72, LR: -1 }), many)).toBeNull();
    expect(aliasedLevels('LR', many)).toEqual([]);
  });
});
