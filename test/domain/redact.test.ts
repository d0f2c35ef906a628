import { expect, it } from 'vitest';
import { redacted, secretsOf } from '../../src/domain/redact.js';

it('replaces the values of variables that look like secrets by their names, wherever they stand', () => {
  const secrets = secretsOf({ WANDB_API_KEY: 'abcdefgh12', HF_TOKEN: 'hf_abcdefgh12', PATH: '/usr/bin:/bin' });
  expect(redacted('a hf_abcdefgh12 b abcdefgh12 c /usr/bin:/bin', secrets)).toBe(
    'a [HF_TOKEN] b [WANDB_API_KEY] c /usr/bin:/bin',
  );
});

it('leaves values alone that are too short to be told from ordinary text', () => {
  expect(redacted('step 1234', secretsOf({ API_KEY: '1234', EMPTY_TOKEN: '', NO_SECRET: undefined }))).toBe(
    'step 1234',
  );
});
