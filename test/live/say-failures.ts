import { afterEach } from 'vitest';

// Of a test that is tried once more, the report only says that it was.
afterEach(({ task: { name, result } }) => {
  if (result?.state === 'fail') console.log(`${name}: ${result.errors?.at(-1)?.stack}`);
});
