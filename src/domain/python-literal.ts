import { parser } from '@lezer/python';
import type { Literal } from './experiment.js';

const PYTHON_NUMBER = String.raw`(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?`;
/** Numbers, operators and brackets only: `2**18`, `3 * 64`, `-1e-3`, `(1 + 2) / 4`. */
const ARITHMETIC = new RegExp(
  String.raw`^[ (+-]*${PYTHON_NUMBER}[ )]*(?:(?:\*\*?|//?|[%+-])[ (+-]*${PYTHON_NUMBER}[ )]*)*$`,
);
const FLOAT = /^[+-]?(?:\d[\d_]*\.\d*|\d*\.\d+|\d[\d_.]*e[+-]?\d+)$/i;
const STRING = /^\(*[rbfu]*['"]/i;

/**
 * A JSON value as Python writes it, shaped like `stood`, the text that it replaces: an array becomes a tuple where one
 * stood, a whole number a float where one stood, an arithmetic string an expression unless a string stood there. Where
 * nothing is known to have stood (null) a string is a string.
 */
export function toPython(value: Literal, stood: string | null = null): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'number':
      return Number.isInteger(value) && FLOAT.test(stood?.trim() ?? '')
        ? `${value}${/[.e]/.test(String(value)) ? '' : '.0'}`
        : String(value);
    case 'string':
      return stood !== null && !STRING.test(stood.trim()) && isArithmetic(value) ? value.trim() : quoted(value);
    default:
      if (Array.isArray(value)) return sequence(value, stood);
      return `{${Object.entries(value)
        .map(([key, item]) => `${quoted(key)}: ${toPython(item)}`)
        .join(', ')}}`;
  }
}

/** Python would run `1(2)` and `)1(` too, or refuse them late: brackets must pair. */
function isArithmetic(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    depth += Number(character === '(') - Number(character === ')');
    if (depth < 0) return false;
  }
  return depth === 0 && ARITHMETIC.test(text);
}

function sequence(items: readonly Literal[], stood: string | null): string {
  const { isTuple, elements } = elementsOf(stood ?? '');
  const text = items.map((item, index) => toPython(item, elements[index] ?? elements.at(-1) ?? null)).join(', ');
  if (!isTuple) return `[${text}]`;
  return items.length === 1 ? `(${text},)` : `(${text})`;
}

/** The elements of a tuple, with its brackets or without, or of a list; none of anything else. */
function elementsOf(text: string): { isTuple: boolean; elements: string[] } {
  const statement = parser.parse(text.trim()).topNode.getChild('ExpressionStatement');
  const isBare = statement?.getChild(',') !== undefined && statement?.getChild(',') !== null;
  const holder = isBare ? statement : statement?.firstChild;
  const elements: string[] = [];
  if (isBare || holder?.name === 'TupleExpression' || holder?.name === 'ArrayExpression') {
    for (let child = holder?.firstChild; child; child = child.nextSibling) {
      if (!['(', ')', '[', ']', ',', 'Comment'].includes(child.name))
        elements.push(text.trim().slice(child.from, child.to));
    }
  }
  return { isTuple: isBare || holder?.name === 'TupleExpression', elements };
}

// JSON's escapes are Python's, but for characters outside the BMP, which both take unescaped.
const quoted = (text: string): string => JSON.stringify(text);
