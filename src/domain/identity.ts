import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';

/** What is read by people and by git: changing it changes no run. */
const NO_CODE = /(^|\/)(LICENSE[^/]*|\.(git|sky)ignore|\.gitattributes|\.editorconfig)$|\.(md|rst)$/i;

export const isCode = (path: string): boolean => !NO_CODE.test(path);

/** What a text stands for is not its nodes: blanks inside it count. */
const WHOLE = new Set(['String', 'FormatString']);

/**
 * What a Python file says, comments and whitespace aside: equal for two files that differ in these alone, or in how a number
 * is written (`1e-3`, `0.001`; `1` and `1.0` stay apart). Docstrings count, for code can read them; line breaks and
 * indentation count as far as the grammar goes. null for what the parser does not understand: nobody can say then.
 */
export function pythonMeaning(source: string): string | null {
  const text = source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const words: unknown[] = [];
  return collect(parser.parse(text).topNode, text, words) ? JSON.stringify(words) : null;
}

/** Names and texts in the order of the file, a list for each node that has parts. False where the parser gave up. */
function collect(node: SyntaxNode, text: string, words: unknown[]): boolean {
  if (node.type.isError) return false;
  if (node.name === 'Comment') return true;
  if (!node.firstChild || WHOLE.has(node.name)) {
    const word = text.slice(node.from, node.to);
    words.push(node.name === 'Number' ? numberMeaning(word) : word);
    return true;
  }
  const parts: unknown[] = [node.name];
  let at = node.from;
  for (let child: SyntaxNode | null = node.firstChild; child; child = child.nextSibling) {
    between(text.slice(at, child.from), parts);
    if (!collect(child, text, parts)) return false;
    at = child.to;
  }
  between(text.slice(at, node.to), parts);
  words.push(parts);
  return true;
}

/** Not every token is a node. */
function between(gap: string, parts: unknown[]): void {
  const rest = gap.replace(/\\\n|\s/g, '');
  if (rest !== '') parts.push(rest);
}

/** Whole numbers and fractions are not the same to Python; of either, how many digits were written is. */
function numberMeaning(word: string): string {
  const digits = word.replaceAll('_', '');
  if (/^\d+$/.test(digits)) return String(BigInt(digits));
  return /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits) ? `float ${Number(digits)}` : word;
}
