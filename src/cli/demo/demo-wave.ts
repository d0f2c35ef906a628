/**
 * Eight points over three constants of examples/quickstart/train.py whose effects a few seconds of training already show, none of them
 * the unchanged base: with that one, which the server adds, nine runs.
 */
export const DEMO_WAVE = {
  description: 'How deep and how wide may the model be in a few seconds, and does the learning rate depend on it?',
  design: {
    kind: 'full_factorial',
    factors: { DEPTH: [1, 2], ASPECT_RATIO: [32, 64], MATRIX_LR: [0.01, 0.08] },
  },
} as const;
