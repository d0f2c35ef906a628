import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';
import type { Literal } from './experiment.js';

/**
 * What a constant's right-hand side is worth as JSON: a number, also where arithmetic makes it (`2**18`), a string, True, False, None, or a
 * tuple or list of those. Anything else is its own text.
 */
export function pythonValue(text: string): Literal {
  const script = parser.parse(text.trim()).topNode;
  const statement = script.firstChild;
  const only = statement?.firstChild;
  if (!statement || !only || statement.nextSibling || statement.name !== 'ExpressionStatement') return text.trim();
  // A tuple without brackets is the statement itself.
  const value = worthOf(only.nextSibling ? statement : only, text.trim());
  return value === undefined ? text.trim() : value;
}

/** undefined: not a value that is known without running it. */
function worthOf(node: SyntaxNode, source: string): Literal | undefined {
  const text = source.slice(node.from, node.to);
  switch (node.name) {
    case 'Number':
      return finite(Number(text.replaceAll('_', '')));
    case 'Boolean':
      return text === 'True';
    case 'None':
      return null;
    case 'String':
      return /^(['"])((?:(?!\1)[^\\\n])*)\1$/.exec(text)?.[2];
    case 'ParenthesizedExpression':
      return node.firstChild?.nextSibling ? worthOf(node.firstChild.nextSibling, source) : undefined;
    case 'TupleExpression':
    case 'ArrayExpression':
    case 'ExpressionStatement':
      return elementsOf(node, source);
    case 'UnaryExpression':
    case 'BinaryExpression':
      return arithmetic(node, source);
    default:
      return undefined;
  }
}

function elementsOf(node: SyntaxNode, source: string): Literal | undefined {
  const elements: Literal[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (['(', ')', '[', ']', ',', 'Comment'].includes(child.name)) continue;
    const value = worthOf(child, source);
    if (value === undefined) return undefined;
    elements.push(value);
  }
  return elements;
}

function arithmetic(node: SyntaxNode, source: string): number | undefined {
  const last = node.lastChild;
  const operator = node.getChild('ArithOp');
  if (!operator || !last) return undefined;
  const left = node.name === 'UnaryExpression' ? 0 : node.firstChild && worthOf(node.firstChild, source);
  const right = worthOf(last, source);
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  switch (source.slice(operator.from, operator.to)) {
    case '+':
      return finite(left + right);
    case '-':
      return finite(left - right);
    case '*':
      return finite(left * right);
    case '/':
      return finite(left / right);
    case '//':
      return finite(Math.floor(left / right));
    case '%':
      // Python's takes the sign of the divisor.
      return finite(left - right * Math.floor(left / right));
    case '**':
      return finite(left ** right);
    default:
      return undefined;
  }
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
