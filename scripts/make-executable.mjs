// tsc writes files without the executable bit; `npx autoresearch-mcp` needs it on the bin.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/bin.js', import.meta.url), 0o755);
