import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';
import { AutoresearchError } from './errors.js';
import type { Literal } from './experiment.js';
import { toPython } from './python-literal.js';
import { listed, nearestFirst } from './suggest.js';

/** `NAME = value` at the top level of a file, with the place of its value. */
export interface Constant {
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

export interface Constants {
  /** Assigned once in the whole module, so that replacing the value there changes what runs. */
  readonly overridable: readonly Constant[];
  /** Assigned again, conditionally, or together with others: an override could be without effect. */
  readonly ambiguous: readonly string[];
}

const SCOPES = new Set(['FunctionDefinition', 'ClassDefinition', 'LambdaExpression']);

/**
 * Finds constants with a real Python parser, tolerant of what it does not know: whether the file compiles, Python itself
 * says. Names in capitals come first.
 */
export function findConstants(source: string): Constants {
  const counts = new Map<string, number>();
  const assigned = new Set<string>();
  const simple = new Map<string, Constant>();
  let lastStarImport = -1;
  const bind = (names: readonly string[], by = 1) => {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + by);
  };

  const visit = (node: SyntaxNode, isTopLevel: boolean): void => {
    if (SCOPES.has(node.name)) {
      const name = node.getChild('VariableName');
      if (name) bind([source.slice(name.from, name.to)]);
      bind(globalNames(node, source), 2);
      return;
    }
    if (node.name === 'AssignStatement' || node.name === 'UpdateStatement') {
      const { targets, value } = partsOfAssignment(node);
      const names = targets.flatMap((target) => variableNames(target, source));
      bind(names);
      for (const name of names) assigned.add(name);
      const [only, ...others] = targets;
      if (
        isTopLevel &&
        node.name === 'AssignStatement' &&
        only?.name === 'VariableName' &&
        others.length === 0 &&
        value
      ) {
        const name = source.slice(only.from, only.to);
        simple.set(name, { name, value: source.slice(value.from, value.to), ...value });
      }
    } else if (node.name === 'ImportStatement') {
      const names = importedNames(node, source);
      bind(names);
      if (names.includes('*')) lastStarImport = node.from;
    } else bind(otherwiseBound(node, source));
    for (let child = node.firstChild; child; child = child.nextSibling) {
      visit(child, isTopLevel && node.name === 'StatementGroup');
    }
  };
  // A byte-order mark would be part of the first name.
  const script = parser.parse(source.replace(/^\ufeff/, '\n')).topNode;
  for (let child = script.firstChild; child; child = child.nextSibling) {
    // The parser may lose track of a block that it does not understand; what is indented is never at the top.
    visit(child, child.from === 0 || /[\r\n\ufeff]/.test(source.charAt(child.from - 1)));
  }

  const byCapitals = (a: string, b: string) => Number(isCapital(b)) - Number(isCapital(a));
  const overridable = [...simple.values()]
    .filter(({ name, from }) => counts.get(name) === 1 && from > lastStarImport)
    .sort((a, b) => byCapitals(a.name, b.name));
  const names = new Set(overridable.map(({ name }) => name));
  return { overridable, ambiguous: [...assigned].filter((name) => !names.has(name)).sort(byCapitals) };
}

const isCapital = (name: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(name);

/** Everything left of the last `=`; the value is what stands right of it, several nodes where it is a bare tuple. */
function partsOfAssignment(node: SyntaxNode): { targets: SyntaxNode[]; value: { from: number; to: number } | null } {
  const children = childrenOf(node);
  const operator = children.findLastIndex(({ name }) => name === 'AssignOp' || name === 'UpdateOp');
  const first = children[operator + 1];
  const last = children.at(-1);
  // Without one it is an annotation, which assigns nothing.
  const targets = children
    .slice(0, Math.max(0, operator))
    .filter(({ name }) => name !== 'AssignOp' && name !== ',' && name !== 'TypeDef');
  return { targets, value: operator < 0 || !first || !last ? null : { from: first.from, to: last.to } };
}

/** What an assignment to `node` changes: `A`, each of `A, B`, and `A` too where it is `A[0]`. */
function variableNames(node: SyntaxNode, source: string): string[] {
  switch (node.name) {
    case 'VariableName':
      return [source.slice(node.from, node.to)];
    case 'MemberExpression':
      return node.getChild('[') && node.firstChild?.name === 'VariableName'
        ? variableNames(node.firstChild, source)
        : [];
    case 'TupleExpression':
    case 'ArrayExpression':
    case 'ParenthesizedExpression':
      return childrenOf(node).flatMap((child) => variableNames(child, source));
    default:
      return [];
  }
}

/** `b` of `import a as b`, `a` of `import a.x`, `*` of `from a import *`. */
function importedNames(node: SyntaxNode, source: string): string[] {
  const children = childrenOf(node);
  const items = children.slice(children.findIndex(({ name }) => name === 'import') + 1);
  return items.flatMap((item, index) => {
    if (item.name === '*') return ['*'];
    const isFirst = index === 0 || items[index - 1]?.name === ',' || items[index - 1]?.name === '(';
    const isRenamed = items[index + 1]?.name === 'as';
    const isAlias = items[index - 1]?.name === 'as';
    return item.name === 'VariableName' && ((isFirst && !isRenamed) || isAlias)
      ? [source.slice(item.from, item.to)]
      : [];
  });
}

/** Names that a loop, `:=`, `as` (of `with` and `except`) or a pattern of `match` gives a value. */
function otherwiseBound(node: SyntaxNode, source: string): string[] {
  const children = childrenOf(node);
  const targets =
    node.name === 'ForStatement'
      ? children.slice(
          0,
          children.findIndex(({ name }) => name === 'in'),
        )
      : node.name === 'NamedExpression' || node.name === 'CapturePattern'
        ? children.slice(0, 1)
        : children.filter((_, index) => children[index - 1]?.name === 'as');
  return targets.flatMap((target) => variableNames(target, source));
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

/** Names that a function declares `global`: it may assign them at any time. */
function globalNames(scope: SyntaxNode, source: string): string[] {
  const names: string[] = [];
  scope.cursor().iterate((node) => {
    if (node.name !== 'ScopeStatement') return;
    const text = source.slice(node.from, node.to);
    if (text.startsWith('global'))
      names.push(
        ...text
          .slice('global'.length)
          .split(',')
          .map((name) => name.trim()),
      );
  });
  return names;
}

/**
 * `source` with the value of each constant replaced; comments and all else stay.
 * @throws invalid_code for a name that is unknown or ambiguous, with the names that there are, the nearest first
 */
export function applyOverrides(source: string, overrides: Readonly<Record<string, Literal>>, file: string): string {
  const { overridable, ambiguous } = findConstants(source);
  const replacements = Object.entries(overrides).map(([name, value]) => {
    const constant = overridable.find((candidate) => candidate.name === name);
    if (constant) return { ...constant, text: toPython(value, constant.value) };
    const names = listed(
      nearestFirst(
        name,
        overridable.map((candidate) => candidate.name),
      ),
    );
    if (ambiguous.includes(name)) {
      throw new AutoresearchError(
        'invalid_code',
        `${name} is assigned more than once in ${file}, together with another name, or under a condition: an override could be without effect.`,
        `Change it with "edits". Constants that can be overridden: ${names}.`,
      );
    }
    throw new AutoresearchError(
      'invalid_code',
      `${file} has no top-level constant ${name}.`,
      names === '' ? `${file} has no constants at all: use "edits".` : `Constants, the nearest first: ${names}.`,
    );
  });
  return replacements
    .sort((a, b) => b.from - a.from)
    .reduce((text, { from, to, text: value }) => text.slice(0, from) + value + text.slice(to), source);
}
