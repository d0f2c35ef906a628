import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { CodeChecker } from '../../ports/code-checker.js';

const PROGRAM = `
import json, sys, warnings
warnings.simplefilter("ignore")
problems = []
for index, file in enumerate(json.load(sys.stdin.buffer)):
    try:
        # As bytes, as Python reads a file: with a byte-order mark, or a line that names the encoding.
        compile(file["content"].encode("utf-8", "surrogatepass"), file["path"], "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()[:200]
        where = file["path"] if line is None else f'{file["path"]}, line {line}'
        message = f'{where}: {getattr(error, "msg", None) or error or type(error).__name__}' + (f": {text}" if text else "")
        problems.append({"index": index, "message": message})
print(json.dumps(problems))
`;

const Problems = z.array(z.object({ index: z.number().int(), message: z.string() }));

/** `compile()` of the project's own environment where it has one, else of the python3 on PATH; it runs none of the code. */
export function createPythonChecker(projectDirectory: string): CodeChecker {
  const own = join(projectDirectory, '.venv', 'bin', 'python');
  const interpreters = [...(existsSync(own) ? [own] : []), 'python3', 'python'];
  return {
    async check(files) {
      if (files.length === 0) return [];
      for (const interpreter of interpreters) {
        const result = await execa(interpreter, ['-I', '-S', '-c', PROGRAM], {
          input: JSON.stringify(files),
          reject: false,
        });
        if (result.exitCode === 0) return Problems.parse(JSON.parse(result.stdout));
      }
      return null;
    },
  };
}
