import type { Literal } from './experiment.js';

/** Digits, operators and brackets only: `2**18`, `3 * 64`, `1e-3`. */
const ARITHMETIC = /^[\d\s.eE_+\-*/()%]+$/;

/**
 * A JSON value as Python writes it, shaped like `current`, the text that it replaces: an array becomes a tuple where one
 * stood, a whole number a float where one stood, an arithmetic string stays an expression unless a string stood there.
 */
export function toPython(value: Literal, current = ''): string {
  const stood = current.trim();
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'number':
      return Number.isInteger(value) && /^[+-]?(?:\d[\d_]*\.\d*|\d*\.\d+|\d[\d_.]*e[+-]?\d+)$/i.test(stood)
        ? `${value}${/[.e]/.test(String(value)) ? '' : '.0'}`
        : String(value);
    case 'string':
      return ARITHMETIC.test(value) && /\d/.test(value) && !/^[rbfu]*['"]/i.test(stood) ? value.trim() : quoted(value);
    default:
      if (!Array.isArray(value)) {
        return `{${Object.entries(value)
          .map(([key, item]) => `${quoted(key)}: ${toPython(item)}`)
          .join(', ')}}`;
      }
      return sequence(value, stood);
  }
}

function sequence(items: readonly Literal[], stood: string): string {
  const isTuple = stood.startsWith('(') || (!stood.startsWith('[') && stood.includes(','));
  const text = items.map((item) => toPython(item)).join(', ');
  if (!isTuple) return `[${text}]`;
  return items.length === 1 ? `(${text},)` : `(${text})`;
}

// JSON's escapes are Python's, but for characters outside the BMP, which both take unescaped.
const quoted = (text: string): string => JSON.stringify(text);
