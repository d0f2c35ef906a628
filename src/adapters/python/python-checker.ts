import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { CodeChecker } from '../../ports/code-checker.js';

const PROGRAM = `
import json, sys, warnings
warnings.simplefilter("ignore")
problems = []
for index, file in enumerate(json.load(sys.stdin)):
    try:
        compile(file["content"], file["path"], "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()
        message = f'{file["path"]}, line {line}: {getattr(error, "msg", error)}' + (f": {text}" if text else "")
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
