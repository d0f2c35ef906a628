// The house: an import points down. bin > mcp, cli, compose > lab, adapters > store, ports > domain.
const room = (name) => `^src/${name}(/|\\.ts$)`;
const forbid = (from, to, comment) => ({
  name: `${from}-not-to-${to.join('-')}`,
  severity: 'error',
  comment,
  from: { path: room(from) },
  to: { path: to.map(room) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['^src/bin\\.ts$', 'runner\\.ts$', '\\.d\\.ts$'] },
      to: {},
    },
    forbid(
      'domain',
      ['ports', 'store', 'lab', 'adapters', 'mcp', 'cli', 'compose', 'bin'],
      'domain is the ground floor',
    ),
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'no I/O in domain: zod, maths and the Python parser only',
      from: { path: room('domain') },
      to: { dependencyTypes: ['core'] },
    },
    forbid('ports', ['store', 'lab', 'adapters', 'mcp', 'cli', 'compose', 'bin'], 'a port knows only the domain'),
    forbid('store', ['ports', 'lab', 'adapters', 'mcp', 'cli', 'compose', 'bin'], 'the store knows only the domain'),
    forbid(
      'adapters',
      ['store', 'lab', 'mcp', 'cli', 'compose', 'bin'],
      'an adapter implements a port and nothing more',
    ),
    forbid('lab', ['adapters', 'mcp', 'cli', 'compose', 'bin'], 'the lab never names a backend'),
    forbid('mcp', ['adapters', 'cli', 'compose', 'bin'], 'the agents face calls the lab'),
    forbid('cli', ['adapters', 'mcp', 'compose', 'bin'], 'the people face calls the lab'),
    forbid('compose', ['mcp', 'cli', 'bin'], 'compose knows the parts, not the faces'),
    {
      name: 'backends-are-strangers',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/[^/]+', pathNot: ['^src/adapters/$1/'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
